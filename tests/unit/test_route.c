/* SPDX-License-Identifier: BSD-2-Clause */
/* request targets: what they ask for, in every spelling a client may choose */

#include "pixeld/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOKEN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct row {
    const char *target;
    const char *prefix;
    enum route_place place;
    bool readable;
    const char *destination; /* NULL: none */
};

static const struct row table[] = {
    {"/o/" TOKEN ".gif", "", ROUTE_VIEW, true, NULL},
    {"/o/" TOKEN ".gif?cache=no", "", ROUTE_VIEW, true, NULL},
    {"http://t.example.com/o/" TOKEN ".gif", "", ROUTE_VIEW, true, NULL},
    {"HTTPS://t.example.com:443/o/" TOKEN ".gif", "", ROUTE_VIEW, true, NULL},
    {"/o/", "", ROUTE_VIEW, false, NULL},
    {"/o/" TOKEN ".png", "", ROUTE_VIEW, false, NULL},
    {"/o/" TOKEN "%2Egif", "", ROUTE_VIEW, false, NULL},
    {"/%6f/" TOKEN ".gif", "", ROUTE_NOWHERE, false, NULL},
    {"//o/" TOKEN ".gif", "", ROUTE_NOWHERE, false, NULL},
    {"/x/../o/" TOKEN ".gif", "", ROUTE_NOWHERE, false, NULL},
    {"/c/" TOKEN "/https:%2F%2Fexample.com%2F%3Fa%3Db", "", ROUTE_CLICK, true, "https://example.com/?a=b"},
    {"/c/" TOKEN "/https:%2F%2Fexample.com%2F?fbclid=1", "", ROUTE_CLICK, true, "https://example.com/"},
    {"/c/" TOKEN "/https%253A%252F%252Fexample.com", "", ROUTE_CLICK, true, "https%3A%2F%2Fexample.com"},
    {"/c/" TOKEN "/a+b", "", ROUTE_CLICK, true, "a+b"},
    {"/c/" TOKEN "/100%", "", ROUTE_CLICK, false, NULL},
    {"/c/" TOKEN "/%zz", "", ROUTE_CLICK, false, NULL},
    {"/c/" TOKEN, "", ROUTE_CLICK, false, NULL},
    {"/u/" TOKEN, "", ROUTE_UNSUBSCRIBE, true, NULL},
    {"/u/" TOKEN "?utm_source=x", "", ROUTE_UNSUBSCRIBE, true, NULL},
    {"/t/u/" TOKEN, "/t", ROUTE_UNSUBSCRIBE, true, NULL},
    {"/u/" TOKEN "/", "", ROUTE_UNSUBSCRIBE, false, NULL},
    {"/u/" TOKEN "/more", "", ROUTE_UNSUBSCRIBE, false, NULL},
    {"/u/", "", ROUTE_UNSUBSCRIBE, false, NULL},
    {"/u", "", ROUTE_NOWHERE, false, NULL},
    {"/U/" TOKEN, "", ROUTE_NOWHERE, false, NULL},
    {"/d/" TOKEN, "", ROUTE_DOCUMENT, true, NULL},
    {"/d/" TOKEN "/3?again=1", "", ROUTE_DOCUMENT, true, NULL},
    {"/t/d/" TOKEN "/download", "/t", ROUTE_DOCUMENT, true, NULL},
    {"/d/" TOKEN "/", "", ROUTE_DOCUMENT, false, NULL},
    {"/d/", "", ROUTE_DOCUMENT, false, NULL},
    {"/d", "", ROUTE_NOWHERE, false, NULL},
    {"/a/viewer.js", "", ROUTE_ASSET, false, NULL},
    {"/about", "", ROUTE_NOWHERE, false, NULL},
    {"/healthz", "", ROUTE_HEALTH, false, NULL},
    {"/feed", "", ROUTE_FEED, false, NULL},
    {"/feed?kind=view", "", ROUTE_FEED, false, NULL},
    {"/t/feed/mail/7", "/t", ROUTE_FEED, false, NULL},
    {"/feed/", "", ROUTE_FEED, false, NULL},
    {"/feeder", "", ROUTE_NOWHERE, false, NULL},
    {"/Feed", "", ROUTE_NOWHERE, false, NULL},
    {"/healthz?verbose", "", ROUTE_HEALTH, false, NULL},
    {"/healthz/", "", ROUTE_NOWHERE, false, NULL},
    {"/", "", ROUTE_NOWHERE, false, NULL},
    {"", "", ROUTE_NOWHERE, false, NULL},
    {"*", "", ROUTE_NOWHERE, false, NULL},
    {"o/" TOKEN ".gif", "", ROUTE_NOWHERE, false, NULL},
    {"ftp://t.example.com/o/" TOKEN ".gif", "", ROUTE_NOWHERE, false, NULL},
    {"http://t.example.com", "", ROUTE_NOWHERE, false, NULL},
    {"/t/o/" TOKEN ".gif", "/t", ROUTE_VIEW, true, NULL},
    {"/o/" TOKEN ".gif", "/t", ROUTE_VIEW, true, NULL},
    {"/tt/o/" TOKEN ".gif", "/t", ROUTE_NOWHERE, false, NULL},
    {"/t", "/t", ROUTE_NOWHERE, false, NULL},
};

static void each_target_goes_where_it_says(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        const struct row *row = &table[n];
        struct route route;

        route_parse(slice_str(row->target), slice_str(row->prefix), &route);
        if (route.place != row->place || route.readable != row->readable)
            print_message("# target %s\n", row->target);
        assert_int_equal(route.place, row->place);
        assert_int_equal(route.readable, row->readable);
        if (row->destination)
            assert_string_equal(buf_text(&route.target.destination), row->destination);
        if (row->readable)
            assert_memory_equal(route.target.token.p, TOKEN, sizeof TOKEN - 1);
        route_free(&route);
    }
}

static void path_of_tracking_url(void **state)
{
    (void)state;
    assert_true(slice_is(route_url_path(slice_str("https://t.example.com")), ""));
    assert_true(slice_is(route_url_path(slice_str("https://t.example.com/t/u")), "/t/u"));
    assert_true(slice_is(route_url_path(slice_str("mailto:x@example.com/y")), ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_target_goes_where_it_says),
        cmocka_unit_test(path_of_tracking_url),
    };

    return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
