/* SPDX-License-Identifier: BSD-2-Clause */
/* which part of a file is wanted */

#include "pixeld/byte_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
    const char *field;
    enum byte_range_want want;
    uint64_t first, length;
} rows[] = {
    {"", RANGE_ALL, 0, 1000},
    {"bytes=0-", RANGE_PART, 0, 1000},
    {"bytes=0-0", RANGE_PART, 0, 1},
    {"bytes=10-19", RANGE_PART, 10, 10},
    {"Bytes= 10-19 ", RANGE_PART, 10, 10},
    {"bytes=990-2000", RANGE_PART, 990, 10},
    {"bytes=-5", RANGE_PART, 995, 5},
    {"bytes=-5000", RANGE_PART, 0, 1000},
    {"bytes=1000-", RANGE_NOT_SATISFIABLE, 0, 1000},
    {"bytes=99999999999999999999999-", RANGE_NOT_SATISFIABLE, 0, 1000},
    {"bytes=0-99999999999999999999999", RANGE_PART, 0, 1000},
    {"bytes=-0", RANGE_NOT_SATISFIABLE, 0, 1000},
    {"bytes=5-4", RANGE_ALL, 0, 1000},
    {"bytes=-", RANGE_ALL, 0, 1000},
    {"bytes=", RANGE_ALL, 0, 1000},
    {"bytes=0-1,5-6", RANGE_ALL, 0, 1000},
    {"bytes=a-b", RANGE_ALL, 0, 1000},
    {"bytes=1-b", RANGE_ALL, 0, 1000},
    {"pages=1-2", RANGE_ALL, 0, 1000},
};

static void ranges_are_read(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct byte_range range;
        enum byte_range_want want = byte_range_of(slice_str(rows[n].field), 1000, &range);

        if (want != rows[n].want || range.first != rows[n].first || range.length != rows[n].length)
            print_message("%s\n", rows[n].field);
        assert_int_equal(want, rows[n].want);
        assert_int_equal(range.first, rows[n].first);
        assert_int_equal(range.length, rows[n].length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
