/* SPDX-License-Identifier: BSD-2-Clause */
/* what is sent to PostgreSQL: the COPY stream, cleaned texts, arrays, numbers of words */

#include "common/copy_stream.h"
#include "common/dictionary.h"
#include "common/row_set.h"
#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_stream_is_as_the_manual_has_it(void **state)
{
    static const uint8_t address[4] = {192, 0, 2, 1};
    static const char expected[] = "PGCOPY\n\377\r\n\0" "\0\0\0\0" "\0\0\0\0"
                                   "\0\4"
                                   "\0\0\0\2" "\1\2"
                                   "\0\0\0\4" "\377\377\377\376"
                                   "\0\0\0\10" "\2\40\0\4" "\300\0\2\1"
                                   "\0\0\0\1" "v"
                                   "\377\377";
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    copy_begin(&out);
    copy_row(&out, 4);
    copy_int16(&out, 0x102);
    copy_int32(&out, -2);
    copy_address(&out, address, sizeof address);
    copy_char(&out, 'v');
    copy_end(&out);
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, sizeof expected - 1);
    buf_free(&out);
}

static void times_count_from_2000_and_no_address_is_null(void **state)
{
    static const char expected[] = "\0\0\0\10" "\0\0\0\0\0\0\0\1" "\377\377\377\377";
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    copy_time(&out, 946684800000001);
    copy_address(&out, NULL, 0);
    assert_int_equal(out.len, sizeof expected - 1);
    assert_memory_equal(out.data, expected, sizeof expected - 1);
    buf_free(&out);
}

static void check_clean(const char *text, size_t len, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    assert_true(utf8_clean(slice_of(text, len), &out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

#define BAD "\xEF\xBF\xBD"
#define CLEAN(text, expected) check_clean(text, sizeof text - 1, expected)

static void texts_become_valid_utf8(void **state)
{
    (void)state;
    CLEAN("", "");
    CLEAN("Gr\xC3\xBC\xC3\x9F" "e \xE2\x82\xAC \xF0\x9F\x98\x80", "Gr\xC3\xBC\xC3\x9F" "e \xE2\x82\xAC \xF0\x9F\x98\x80");
    CLEAN("a\0b", "a" BAD "b");
    CLEAN("Gr\xFC\xDF" "e", "Gr" BAD BAD "e");
    CLEAN("\xC0\xAF", BAD BAD);                 /* overlong */
    CLEAN("\xE0\x80\xAF", BAD BAD BAD);
    CLEAN("\xED\xA0\x80", BAD BAD BAD);         /* surrogate */
    CLEAN("\xF4\x90\x80\x80", BAD BAD BAD BAD); /* above U+10FFFF */
    CLEAN("\xE2\x82", BAD BAD);                 /* cut off */
    CLEAN("\xE2" "a", BAD "a");
}

static void arrays_quote_what_needs_it(void **state)
{
    static const uint8_t bytes[] = {0x00, 0xAB};
    const char *values[ROW_COLUMNS_MAX];
    struct row_set set;

    (void)state;
    row_set_init(&set, 3);
    row_set_integer(&set, -5);
    row_set_text(&set, slice_str("say \"hi\", {\\}\xFF"));
    row_set_hex(&set, bytes, sizeof bytes);
    row_set_integer(&set, 6);
    row_set_text_or_null(&set, slice_str(""));
    assert_false(row_set_values(&set, values)); /* the row lacks a value */
    row_set_text(&set, slice_str(""));
    assert_int_equal(set.rows, 2);
    assert_true(row_set_values(&set, values));
    assert_string_equal(values[0], "{-5,6}");
    assert_string_equal(values[1], "{\"say \\\"hi\\\", {\\\\}" BAD "\",NULL}");
    assert_string_equal(values[2], "{\"00ab\",\"\"}");
    row_set_free(&set);
}

static void a_full_dictionary_starts_anew(void **state)
{
    struct dictionary *dictionary = dictionary_new(100);
    char word[32];
    int32_t number;

    (void)state;
    assert_non_null(dictionary);
    for (int n = 1; n <= 100; n++) {
        snprintf(word, sizeof word, "word %d", n);
        assert_true(dictionary_add(dictionary, slice_str(word), n));
    }
    for (int n = 1; n <= 100; n++) {
        snprintf(word, sizeof word, "word %d", n);
        assert_true(dictionary_find(dictionary, slice_str(word), &number));
        assert_int_equal(number, n);
    }
    assert_true(dictionary_add(dictionary, slice_str("one more"), 7));
    assert_true(dictionary_find(dictionary, slice_str("one more"), &number));
    assert_int_equal(number, 7);
    assert_false(dictionary_find(dictionary, slice_str("word 1"), &number));
    dictionary_free(dictionary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_is_as_the_manual_has_it),
        cmocka_unit_test(times_count_from_2000_and_no_address_is_null),
        cmocka_unit_test(texts_become_valid_utf8),
        cmocka_unit_test(arrays_quote_what_needs_it),
        cmocka_unit_test(a_full_dictionary_starts_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
