/* SPDX-License-Identifier: BSD-2-Clause */
/* what is read out of a request's fields */

#include "pixeld/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_field_is_known_in_any_case(void **state)
{
    static const struct {
        const char *name;
        enum request_field field;
    } cases[] = {
        {"dnt", REQUEST_DNT}, {"Range", REQUEST_RANGE}, {"X-MOZ", REQUEST_X_MOZ}, {"accept", REQUEST_ACCEPT},
        {"Cookie", REQUEST_COOKIE}, {"Origin", REQUEST_ORIGIN}, {"Purpose", REQUEST_PURPOSE},
        {"Referer", REQUEST_REFERER}, {"Sec-GPC", REQUEST_SEC_GPC}, {"X-Purpose", REQUEST_X_PURPOSE},
        {"user-agent", REQUEST_USER_AGENT}, {"Sec-Purpose", REQUEST_SEC_PURPOSE},
        {"Content-Type", REQUEST_CONTENT_TYPE}, {"Last-Event-ID", REQUEST_LAST_EVENT_ID},
        {"If-None-Match", REQUEST_IF_NONE_MATCH}, {"Sec-Fetch-Mode", REQUEST_SEC_FETCH_MODE},
        {"Sec-Fetch-Site", REQUEST_SEC_FETCH_SITE}, {"Sec-Fetch-User", REQUEST_SEC_FETCH_USER},
        {"Accept-Language", REQUEST_ACCEPT_LANGUAGE}, {"Accept-Encoding", REQUEST_ACCEPT_ENCODING},
        {"If-Range", REQUEST_IF_RANGE}, {"", REQUEST_FIELDS}, {"Host", REQUEST_FIELDS},
        {"Sec-Fetch-Dest", REQUEST_FIELDS}, {"Accept-Encoding!", REQUEST_FIELDS}, {"Accept-Languages", REQUEST_FIELDS},
    };
    size_t known = 0;

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        assert_int_equal(request_field_named(slice_str(cases[n].name)), cases[n].field);
        known += cases[n].field != REQUEST_FIELDS;
    }
    assert_int_equal(known, REQUEST_FIELDS);
}

static void a_cookie_is_found_by_its_whole_name(void **state)
{
    static const struct {
        const char *field, *value;
    } cases[] = {
        {"", ""}, {"session=abc", "abc"}, {"a=1; session=abc; b=2", "abc"}, {"a=1;session=abc", "abc"},
        {"mysession=x; session=abc", "abc"}, {"session", ""}, {"session=", ""}, {"a=session=x", ""},
        {"session=first; session=second", "first"}, {"Session=x", ""}, {";;; session=abc ;", "abc"}, {"session=a=b", "a=b"},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct request request = {.field = {[REQUEST_COOKIE] = slice_str(cases[n].field)}};
        struct slice found = request_cookie(&request, "session");

        assert_true(slice_is(found, cases[n].value));
    }
}

static void only_our_own_pages_may_post(void **state)
{
    static const struct {
        const char *site, *origin;
        bool fine;
    } cases[] = {
        {"same-origin", "https://t.example.com", true}, {"same-origin", "", true}, {"", "https://t.example.com", true},
        {"", "HTTPS://T.EXAMPLE.COM", true}, {"", "", false}, {"same-site", "", false}, {"cross-site", "", false},
        {"none", "", false}, {"", "null", false}, {"same-origin", "null", true}, {"", "https://t.example.com.evil.example", false},
        {"", "http://t.example.com", false}, {"", "https://t.example.com:8443", false},
        {"same-origin", "https://evil.example", false}, {"cross-site", "https://t.example.com", false},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct request request = {.field = {[REQUEST_SEC_FETCH_SITE] = slice_str(cases[n].site),
                                            [REQUEST_ORIGIN] = slice_str(cases[n].origin)}};

        assert_int_equal(request_is_same_origin(&request, slice_str("https://t.example.com")), cases[n].fine);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_field_is_known_in_any_case),
        cmocka_unit_test(a_cookie_is_found_by_its_whole_name),
        cmocka_unit_test(only_our_own_pages_may_post),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
