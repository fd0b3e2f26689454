/* SPDX-License-Identifier: BSD-2-Clause */
/* dates of out-of-office mails, and what only looks like one */

#include "mail/absence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void only_dates_with_one_meaning_are_read(void **state)
{
    static const char *const cases[][2] = {
        {"AUTO: Bob is out of the office (returning 30.11.2026)", "2026-11-30"},
        {"Away 2026-11-20 to 2026-12-01", "2026-12-01"},
        {"bis 1.2.2027", "2027-02-01"},
        {"bis 30.11.2026.", "2026-11-30"},
        {"until 11/12/2026", ""},
        {"version 1.30.11.2026", ""},
        {"2026-13-01, 32.1.2026, 1.1.20261, 1.1.26", ""},
        {"", ""},
        {"30.11.", ""},
    };
    char until[ABSENCE_DATE];

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        assert_int_equal(absence_until(slice_str(cases[n][0]), until), cases[n][1][0] != '\0');
        assert_string_equal(until, cases[n][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_dates_with_one_meaning_are_read),
    };

    return cmocka_run_group_tests_name("absence", tests, NULL, NULL);
}
