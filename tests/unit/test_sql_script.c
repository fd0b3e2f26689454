/* SPDX-License-Identifier: BSD-2-Clause */
/* migrations: marks and statements */

#include "ctl/sql_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void check_statements(const char *text, const char *const *expected)
{
    struct slice script = slice_str(text);
    struct slice statement;

    for (; *expected; expected++) {
        assert_true(sql_script_next(&script, &statement));
        assert_int_equal(statement.len, strlen(*expected));
        assert_memory_equal(statement.p, *expected, statement.len);
    }
    assert_false(sql_script_next(&script, &statement));
}

static void semicolons_inside_do_not_end_a_statement(void **state)
{
    (void)state;
    check_statements("-- first; not this\nselect 1;\n select ';', \"a;b\", 'it''s;' /* ; */ ;;\n"
                     "do $$ begin; end $$; do $x$ $$;$$ $x$; select $1 -- end;\n",
                     (const char *const[]){"select 1", "select ';', \"a;b\", 'it''s;' /* ; */ ", "do $$ begin; end $$",
                                           "do $x$ $$;$$ $x$", "select $1 -- end;\n", NULL});
    check_statements("", (const char *const[]){NULL});
    check_statements(" ; -- only a comment", (const char *const[]){NULL});
    check_statements("select 'open;", (const char *const[]){"select 'open;", NULL});
}

static void marks_stand_at_the_top(void **state)
{
    struct sql_marks marks = sql_script_marks(
        slice_str("-- SPDX\n-- Outside a transaction\n-- compatible from 12\nselect 1;\n"));

    (void)state;
    assert_true(marks.outside_transaction);
    assert_int_equal(marks.compatible_from, 12);
    marks = sql_script_marks(slice_str("select 1;\n-- outside a transaction\n-- compatible from 3\n"));
    assert_false(marks.outside_transaction);
    assert_int_equal(marks.compatible_from, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(semicolons_inside_do_not_end_a_statement),
        cmocka_unit_test(marks_stand_at_the_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
