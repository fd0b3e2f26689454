/* SPDX-License-Identifier: BSD-2-Clause */
/* owners: nobody is taken for one of the array who only looks like it */

#include "pixeld/owners.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_finds_each(void **state)
{
    static const char *const owners = "{a@example.com,\"b,c\",\"d \\\"e\\\\\",\"\",f}";

    (void)state;
    assert_true(owners_have(owners, "a@example.com"));
    assert_true(owners_have(owners, "b,c"));
    assert_true(owners_have(owners, "d \"e\\"));
    assert_true(owners_have(owners, ""));
    assert_true(owners_have(owners, "f"));
}

static void test_finds_nothing_else(void **state)
{
    (void)state;
    assert_false(owners_have("{a@example.com,b,c}", "b,c"));
    assert_false(owners_have("{a@example.com,b,c}", "a@example.co"));
    assert_false(owners_have("{a@example.com,b,c}", "a@example.com,b"));
    assert_false(owners_have("{a@example.com}", "{a@example.com"));
    assert_false(owners_have("{a@example.com}", "{a@example.com}"));
    assert_false(owners_have("{a@example.com}", "example.com"));
    assert_false(owners_have("{a@example.com}", ""));
    assert_false(owners_have("{}", ""));
    assert_false(owners_have("", ""));
    assert_false(owners_have("{\"b,c\"}", "b"));
    assert_false(owners_have("{\"b,c\"}", "c"));
    assert_false(owners_have("{\"b\\\"", "b"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_each),
        cmocka_unit_test(test_finds_nothing_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
