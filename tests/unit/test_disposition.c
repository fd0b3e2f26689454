/* SPDX-License-Identifier: BSD-2-Clause */
/* under which name a file is handed out */

#include "pixeld/disposition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *name, const char *expected)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_true(disposition_add(&out, slice_str(name)));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void names_go_in_ascii_and_in_utf8(void **state)
{
    (void)state;
    expect("a b.pdf", "attachment; filename=\"a b.pdf\"; filename*=UTF-8''a%20b.pdf");
    expect("Gr\xc3\xbc\xc3\x9f" "e.docx", "attachment; filename=\"Gr__e.docx\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.docx");
    expect("a\"b\\c;d%41.pdf", "attachment; filename=\"a_b_c_d_41.pdf\"; filename*=UTF-8''a%22b%5Cc%3Bd%2541.pdf");
    expect("", "attachment; filename=\"document\"; filename*=UTF-8''document");
}

static void no_name_breaks_the_field(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_true(disposition_add(&out, slice_of("a\r\nX: y\0\x80.pdf", 13)));
    for (size_t at = 0; at < out.len; at++)
        assert_true(out.data[at] >= 0x20 && out.data[at] < 0x7f);
    buf_free(&out);
}

static void a_long_name_keeps_its_ending(void **state)
{
    char name[401];
    struct buf out;

    (void)state;
    for (size_t at = 0; at < 396; at += 2)
        memcpy(name + at, "\xc3\xbc", 2);
    memcpy(name + 396, ".pdf", 5);
    buf_init(&out, 4096);
    assert_true(disposition_add(&out, slice_str(name)));
    assert_true(out.len > 5 && memcmp(out.data + out.len - 4, ".pdf", 4) == 0);
    assert_null(strstr(buf_text(&out), "%EF%BF%BD")); /* no character is cut */
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_go_in_ascii_and_in_utf8),
        cmocka_unit_test(no_name_breaks_the_field),
        cmocka_unit_test(a_long_name_keeps_its_ending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
