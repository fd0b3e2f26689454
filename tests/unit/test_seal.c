/* SPDX-License-Identifier: BSD-2-Clause */
/* sealed bytes: only the same key opens them, and only as what they are about */

#include "common/seal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};

static void the_worked_example_of_the_standard_opens(void **state)
{
    /* test case 14 of "The Galois/Counter Mode of Operation": key, nonce and text are zeroes */
    static const uint8_t zeroes[SEAL_KEY_BYTES];
    static const uint8_t sealed[SEAL_NONCE_BYTES + 32] = {
        [12] = 0xce, 0xa7, 0x40, 0x3d, 0x4d, 0x60, 0x6b, 0x6e, 0x07, 0x4e, 0xc5, 0xd3, 0xba, 0xf3, 0x9d, 0x18,
        0xd0, 0xd1, 0xc8, 0xa7, 0x99, 0x99, 0x6b, 0xf0, 0x26, 0x5b, 0x98, 0xb5, 0xd4, 0x8a, 0xb9, 0x19};
    struct buf text;

    (void)state;
    buf_init(&text, 16);
    assert_true(seal_open(zeroes, slice_str(""), slice_of((const char *)sealed, sizeof sealed), &text));
    assert_int_equal(text.len, 16);
    assert_memory_equal(text.data, zeroes, 16);
    buf_free(&text);
}

static void what_was_sealed_opens_and_no_two_seals_are_alike(void **state)
{
    static const char *const texts[] = {"", "a", "alice@example.com", "more than one block of the cipher, so that it has to go on"};
    struct buf first, second, text;

    (void)state;
    for (size_t row = 0; row < sizeof texts / sizeof *texts; row++) {
        buf_init(&first, 200);
        buf_init(&second, 200);
        buf_init(&text, 200);
        assert_true(seal_close(key, slice_str("about"), slice_str(texts[row]), &first));
        assert_true(seal_close(key, slice_str("about"), slice_str(texts[row]), &second));
        assert_int_equal(first.len, strlen(texts[row]) + SEAL_BYTES);
        assert_false(slice_eq(buf_slice(&first), buf_slice(&second)));
        assert_true(buf_add_str(&text, "before "));
        assert_true(seal_open(key, slice_str("about"), buf_slice(&first), &text));
        assert_string_equal(buf_text(&text) + 7, texts[row]);
        buf_free(&first);
        buf_free(&second);
        buf_free(&text);
    }
}

static void nothing_else_opens(void **state)
{
    static const uint8_t other_key[SEAL_KEY_BYTES] = {1, 2, 4};
    struct buf sealed, text;

    (void)state;
    buf_init(&sealed, 200);
    buf_init(&text, 200);
    assert_true(buf_add_str(&text, "before"));
    assert_true(seal_close(key, slice_str("about"), slice_str("text"), &sealed));
    assert_false(seal_open(other_key, slice_str("about"), buf_slice(&sealed), &text));
    assert_false(seal_open(key, slice_str("another"), buf_slice(&sealed), &text));
    for (size_t len = 0; len < sealed.len; len++)
        assert_false(seal_open(key, slice_str("about"), slice_of(sealed.data, len), &text));
    for (size_t at = 0; at < sealed.len; at++) {
        sealed.data[at] ^= 1;
        assert_false(seal_open(key, slice_str("about"), buf_slice(&sealed), &text));
        sealed.data[at] ^= 1;
    }
    assert_string_equal(buf_text(&text), "before");
    assert_true(seal_open(key, slice_str("about"), buf_slice(&sealed), &text));
    buf_free(&sealed);
    buf_free(&text);
}

static void a_buffer_s_cap_holds(void **state)
{
    struct buf sealed, text;

    (void)state;
    buf_init(&sealed, 4 + SEAL_BYTES);
    buf_init(&text, 3);
    assert_true(seal_close(key, slice_str(""), slice_str("text"), &sealed));
    assert_false(seal_open(key, slice_str(""), buf_slice(&sealed), &text));
    assert_true(text.failed);
    assert_false(seal_close(key, slice_str(""), slice_str(""), &sealed));
    assert_true(sealed.failed);
    buf_free(&sealed);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_worked_example_of_the_standard_opens),
        cmocka_unit_test(what_was_sealed_opens_and_no_two_seals_are_alike),
        cmocka_unit_test(nothing_else_opens),
        cmocka_unit_test(a_buffer_s_cap_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
