/* SPDX-License-Identifier: BSD-2-Clause */
/* the growing buffer: contents, cap, sticky failure */

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void grows_and_stays_terminated(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 1000);
    for (int n = 0; n < 100; n++)
        assert_true(buf_add_f(&buf, "%02d", n));
    assert_int_equal(buf.len, 200);
    assert_memory_equal(buf.data, "000102", 6);
    assert_int_equal(buf.data[200], '\0');
    buf_free(&buf);
}

static void refuses_above_the_cap_and_remembers(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 8);
    assert_true(buf_add_str(&buf, "12345678"));
    assert_false(buf_add_char(&buf, '9'));
    assert_false(buf_add(&buf, "", 0));
    assert_string_equal(buf_text(&buf), "12345678");
    buf_reset(&buf);
    assert_true(buf_add_str(&buf, "again"));
    buf_free(&buf);
}

static void a_length_that_overflows_is_refused(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    assert_true(buf_add_str(&buf, "x"));
    assert_false(buf_reserve(&buf, SIZE_MAX));
    buf_free(&buf);
}

static void steal_hands_over_even_an_empty_text(void **state)
{
    struct buf buf;
    char *text;

    (void)state;
    buf_init(&buf, 100);
    text = buf_steal(&buf);
    assert_string_equal(text, "");
    free(text);
    buf_add_str(&buf, "mine");
    text = buf_steal(&buf);
    assert_string_equal(text, "mine");
    assert_int_equal(buf.len, 0);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_stays_terminated),
        cmocka_unit_test(refuses_above_the_cap_and_remembers),
        cmocka_unit_test(a_length_that_overflows_is_refused),
        cmocka_unit_test(steal_hands_over_even_an_empty_text),
    };

    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
