/* SPDX-License-Identifier: BSD-2-Clause */
/* base64: what is read, what counts as damage, the shape of lines */

#include "mail/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_bytes(const char *text, const char *bytes, bool whole)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_int_equal(base64_decode(slice_str(text), &out), whole);
    if (bytes)
        assert_string_equal(buf_text(&out), bytes);
    buf_free(&out);
}

static void texts_are_decoded(void **state)
{
    (void)state;
    expect_bytes("YQ==", "a", true);
    expect_bytes("YWI=", "ab", true);
    expect_bytes("YW\r\nJj\r\n", "abc", true);
    expect_bytes("YWI", "ab", true); /* padding forgotten */
}

static void damage_is_told(void **state)
{
    (void)state;
    expect_bytes("", NULL, false);
    expect_bytes("YWJjZ", NULL, false);
    expect_bytes("YWJj\r\n-- \r\nlist footer\r\n", NULL, false);
    expect_bytes("YQ==YQ==", NULL, false);
}

static void encoding_keeps_the_shape(void **state)
{
    static const char *const texts[] = {
        "YWJjZGVmZ2hp\r\namtsbW5v\r\n",
        "YWJjZGVmZ2hp\namtsbW5v",
        "YWJj",
        "YWJjZGVm\r\nZ2hpamts\r\n",
    };

    (void)state;
    for (size_t at = 0; at < sizeof texts / sizeof texts[0]; at++) {
        struct slice text = slice_str(texts[at]);
        struct buf bytes, again;

        buf_init(&bytes, 1000);
        buf_init(&again, 1000);
        assert_true(base64_decode(text, &bytes));
        assert_true(base64_encode(buf_slice(&bytes), base64_shape_of(text), &again));
        assert_string_equal(buf_text(&again), texts[at]);
        buf_free(&bytes);
        buf_free(&again);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_decoded),
        cmocka_unit_test(damage_is_told),
        cmocka_unit_test(encoding_keeps_the_shape),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
