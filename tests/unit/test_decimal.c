/* SPDX-License-Identifier: BSD-2-Clause */
/* decimal numbers, whole, too large and none */

#include "common/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void all_of_the_text_is_a_number(void **state)
{
    uint64_t number;

    (void)state;
    assert_true(decimal_read(slice_str("0"), 0, &number) && number == 0);
    assert_true(decimal_read(slice_str("0042"), 42, &number) && number == 42);
    assert_true(decimal_read(slice_str("18446744073709551615"), UINT64_MAX, &number) && number == UINT64_MAX);
}

static void anything_else_is_none(void **state)
{
    static const char *const others[] = {"", "-1", "+1", " 1", "1 ", "1.0", "1a", "0x1", "x"};
    uint64_t number;

    (void)state;
    for (size_t n = 0; n < sizeof others / sizeof *others; n++)
        assert_false(decimal_read(slice_str(others[n]), UINT64_MAX, &number));
    assert_false(decimal_read(slice_of("1\0", 2), UINT64_MAX, &number));
}

static void what_is_too_large_is_refused(void **state)
{
    uint64_t number;

    (void)state;
    assert_false(decimal_read(slice_str("43"), 42, &number));
    assert_false(decimal_read(slice_str("18446744073709551616"), UINT64_MAX, &number));
    assert_false(decimal_read(slice_str("71111111111111111111111111111111111111111"), UINT64_MAX, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_the_text_is_a_number),
        cmocka_unit_test(anything_else_is_none),
        cmocka_unit_test(what_is_too_large_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
