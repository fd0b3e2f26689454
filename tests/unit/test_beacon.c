/* SPDX-License-Identifier: BSD-2-Clause */
/* what the viewer's script sends: read, refused, and cut down to what can be */

#include "pixeld/beacon.h"
#include "pixeld/beacon_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 16 * 1024 };

static void a_beacon_is_read(void **state)
{
    struct record_beacon beacon;
    struct slice view;

    (void)state;
    assert_true(beacon_parse(slice_str("abcdef 3 5200 4 0 3 1:2780 3:2420"), &view, &beacon));
    assert_true(slice_is(view, "abcdef"));
    assert_int_equal(beacon.sequence, 3);
    assert_int_equal(beacon.visible_ms, 5200);
    assert_int_equal(beacon.trusted, 4);
    assert_false(beacon.automated);
    assert_int_equal(beacon.current, 3);
    assert_int_equal(beacon.pages, 2);
    assert_int_equal(beacon.page[1].page, 3);
    assert_int_equal(beacon.page[1].ms, 2420);
    assert_true(beacon_parse(slice_str("v 1 1000 0 1 0"), &view, &beacon));
    assert_true(beacon.automated && beacon.pages == 0);
}

static void what_is_no_beacon_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "v",
        "v 1 1000 0 0",
        " v 1 1000 0 0 0",
        "v 1 1000 0 0 0 ",
        "v  1 1000 0 0 0",
        "v 1 1000 0 2 0",
        "v 01 1000 0 0 0",
        "v -1 1000 0 0 0",
        "v 1 1.5 0 0 0",
        "v 1 1234567890 0 0 0",
        "v 1 1000 0 0 32768",
        "v 1 1000 0 0 1 1",
        "v 1 1000 0 0 1 1:",
        "v 1 1000 0 0 1 :5",
        "v 1 1000 0 0 1 0:5",
        "v 1 1000 0 0 1 2:5 1:5",
        "v 1 1000 0 0 1 1:5 1:6",
        "v 1 1000 0 0 1 40000:5",
        "v 1 1000 0 0 1 1:5\n",
    };
    struct record_beacon beacon;
    struct slice view;

    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        bool read = beacon_parse(slice_str(bad[n]), &view, &beacon);

        if (read)
            print_message("taken: %s\n", bad[n]);
        assert_false(read);
    }
}

static void more_pages_than_there_can_be_are_refused(void **state)
{
    struct record_beacon beacon;
    struct slice view;
    struct buf text;

    (void)state;
    buf_init(&text, MOST);
    buf_add_str(&text, "v 1 1000 0 0 0");
    for (int page = 1; page <= BEACON_PAGES_MAX; page++)
        buf_add_f(&text, " %d:1", page);
    assert_true(beacon_parse(buf_slice(&text), &view, &beacon));
    assert_int_equal(beacon.pages, BEACON_PAGES_MAX);
    buf_add_f(&text, " %d:1", BEACON_PAGES_MAX + 1);
    assert_false(beacon_parse(buf_slice(&text), &view, &beacon));
    buf_free(&text);
}

static void nobody_reads_for_longer_than_it_is_open(void **state)
{
    struct record_beacon beacon;
    struct slice view;

    (void)state;
    assert_true(beacon_parse(slice_str("v 1 999999 0 0 1 1:4000 2:4000 3:4000"), &view, &beacon));
    beacon_clamp(&beacon, 5000);
    assert_int_equal(beacon.visible_ms, 7000);
    assert_int_equal(beacon.page[0].ms, 4000);
    assert_int_equal(beacon.page[1].ms, 3000);
    assert_int_equal(beacon.page[2].ms, 0);
    beacon_clamp(&beacon, -70000);
    assert_int_equal(beacon.visible_ms, BEACON_GRACE_MS);
}

static void a_link_may_tell_only_so_often(void **state)
{
    const struct token one = {.message = 1, .recipient = 7, .index = 1}, other = {.message = 2, .recipient = 7, .index = 1},
                       shared = {.message = 3, .index = 1};
    struct beacon_rate *rate = beacon_rate_new();

    (void)state;
    assert_non_null(rate);
    for (int n = 0; n < BEACONS_PER_MINUTE; n++)
        assert_true(beacon_rate_allows(rate, &one, 60000));
    assert_false(beacon_rate_allows(rate, &one, 119999));
    assert_true(beacon_rate_allows(rate, &other, 119999));
    assert_true(beacon_rate_allows(rate, &one, 120000));
    for (int n = 0; n < BEACONS_PER_MINUTE_SHARED; n++)
        assert_true(beacon_rate_allows(rate, &shared, 60000));
    assert_false(beacon_rate_allows(rate, &shared, 60000));
    beacon_rate_free(rate);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_beacon_is_read),
        cmocka_unit_test(what_is_no_beacon_is_refused),
        cmocka_unit_test(more_pages_than_there_can_be_are_refused),
        cmocka_unit_test(a_link_may_tell_only_so_often),
        cmocka_unit_test(nobody_reads_for_longer_than_it_is_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
