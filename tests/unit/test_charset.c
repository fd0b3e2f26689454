/* SPDX-License-Identifier: BSD-2-Clause */
/* charsets: text to UTF-8 and back, where a converter keeps a character until it knows what follows */

#include "mail/charset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

typedef bool conversion(struct slice name, struct slice text, struct buf *out);

static void expect(conversion *convert, const char *name, const char *text, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_true(convert(slice_str(name), slice_str(text), &out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void the_last_letter_is_not_lost(void **state)
{
    (void)state;
    expect(charset_to_utf8, "windows-1258", "Chao", "Chao");
    expect(charset_to_utf8, "windows-1255", "\xf9\xec\xe5\xed", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d");
    expect(charset_to_utf8, "windows-1252", "caf\xe9", "caf\xc3\xa9");
    expect(charset_to_utf8, "iso-2022-jp", "\x1b$B$+\x1b(B", "\xe3\x81\x8b");
}

static void no_letter_is_kept_back_for_the_next(void **state)
{
    (void)state;
    expect(charset_from_utf8, "big5-hkscs", "f\xc3\xaate", "f\x88\xa7te");
    expect(charset_from_utf8, "shift_jisx0213", "\xe3\x81\x8b.", "\x82\xa9.");
    expect(charset_from_utf8, "koi8-r", "\xd0\x9c\xc3\xa9!", "\xed_!");
    expect(charset_from_utf8, "", "\xc3\xa9!", "_!");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_letter_is_not_lost),
        cmocka_unit_test(no_letter_is_kept_back_for_the_next),
    };

    return cmocka_run_group_tests_name("charset", tests, NULL, NULL);
}
