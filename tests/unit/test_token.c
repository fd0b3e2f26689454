/* SPDX-License-Identifier: BSD-2-Clause */
/* tokens: a fixed one for ever, one spelling each, every change of a bit noticed */

#include "common/token.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* made with Python's hmac and base64 */
static const char known_text[] = "cidqci2fm6e2xtpp32w353yaansrpvco2uoi47oyhyp4ns42oorq";
static const char known_destination[] = "https://example.com/a?b=c";
static const struct token known = {
    .kind = TOKEN_CLICK, .key_id = 7, .message = 0x0123456789abcdef, .recipient = 0xdeadbeef, .index = 3};

static struct keys *load_keys(const char *line)
{
    char path[] = "/tmp/spoor-token-XXXXXX";
    int fd = mkstemp(path);
    struct keys *keys;
    struct buf error;

    buf_init(&error, 1000);
    assert_true(fd >= 0 && dprintf(fd, "address " HEX_A "\n%s\n", line) > 0);
    close(fd);
    keys = keys_load(path, &error);
    unlink(path);
    assert_non_null(keys);
    buf_free(&error);
    return keys;
}

static int setup(void **state)
{
    *state = load_keys("key 7 " HEX_B);
    return 0;
}

static int teardown(void **state)
{
    keys_free(*state);
    return 0;
}

static void assert_same(const struct token *a, const struct token *b)
{
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->key_id, b->key_id);
    assert_true(a->message == b->message);
    assert_int_equal(a->recipient, b->recipient);
    assert_int_equal(a->index, b->index);
}

static void the_known_token_is_made_and_read(void **state)
{
    struct token token = known, read;
    char text[TOKEN_TEXT + 1];

    token.key_id = 0;
    assert_true(token_sign(*state, &token, slice_str(known_destination), text));
    assert_string_equal(text, known_text);
    assert_int_equal(token_verify(*state, slice_str(text), slice_str(known_destination), &read), TOKEN_GOOD);
    assert_same(&read, &known);
}

static void case_does_not_matter(void **state)
{
    char text[TOKEN_TEXT + 1];
    struct token read;

    for (size_t at = 0; at <= TOKEN_TEXT; at++)
        text[at] = (char)toupper(known_text[at]);
    assert_int_equal(token_verify(*state, slice_str(text), slice_str(known_destination), &read), TOKEN_GOOD);
}

static void every_changed_character_is_noticed(void **state)
{
    char text[TOKEN_TEXT + 1];
    struct token read;

    for (size_t at = 0; at < TOKEN_TEXT; at++) {
        enum token_result result;

        memcpy(text, known_text, sizeof text);
        text[at] = text[at] == 'a' ? 'b' : 'a';
        result = token_verify(*state, slice_str(text), slice_str(known_destination), &read);
        assert_int_not_equal(result, TOKEN_GOOD);
        if (at > 4)
            assert_int_equal(result, at == TOKEN_TEXT - 1 && text[at] == 'b' ? TOKEN_MALFORMED : TOKEN_FORGED);
    }
    assert_int_equal(token_verify(*state, slice_str(known_text), slice_str("https://example.com/a?b=d"), &read),
                     TOKEN_FORGED);
    assert_int_equal(token_verify(*state, slice_str(known_text), slice_str(""), &read), TOKEN_FORGED);
}

static void a_key_that_is_not_here_is_not_a_forgery(void **state)
{
    struct keys *others = load_keys("key 8 " HEX_B);
    struct token read;

    (void)state;
    assert_int_equal(token_verify(others, slice_str(known_text), slice_str(known_destination), &read),
                     TOKEN_UNKNOWN_KEY);
    assert_same(&read, &known);
    keys_free(others);
}

static void a_revoked_key_is_neither_unknown_nor_good(void **state)
{
    struct keys *revoked = load_keys("key 7 " HEX_B " revoked\nkey 8 " HEX_A);
    struct token read, token = known;
    char text[TOKEN_TEXT + 1];

    (void)state;
    assert_int_equal(token_verify(revoked, slice_str(known_text), slice_str(known_destination), &read), TOKEN_REVOKED);
    assert_same(&read, &known);
    assert_int_equal(token_verify(revoked, slice_str(known_text), slice_str("https://example.com/other"), &read), TOKEN_FORGED);
    assert_true(token_sign(revoked, &token, slice_str(known_destination), text));
    assert_int_equal(token.key_id, 8);
    keys_free(revoked);
}

static void a_retired_key_still_verifies(void **state)
{
    struct keys *retired = load_keys("key 8 " HEX_A "\nkey 7 " HEX_B " retired 2026-11-30T12:00:00Z");
    struct token read;

    (void)state;
    assert_int_equal(token_verify(retired, slice_str(known_text), slice_str(known_destination), &read), TOKEN_GOOD);
    keys_free(retired);
}

static void the_kind_has_a_key_of_its_own(void **state)
{
    char click[TOKEN_TEXT + 1], view[TOKEN_TEXT + 1];
    struct token token = known;

    assert_true(token_sign(*state, &token, slice_str(""), click));
    token.kind = TOKEN_VIEW;
    assert_true(token_sign(*state, &token, slice_str(""), view));
    assert_string_not_equal(click + TOKEN_TEXT / 2, view + TOKEN_TEXT / 2);
}

static void what_has_not_our_shape_is_malformed(void **state)
{
    char text[TOKEN_TEXT + 2];
    struct token token;

    (void)state;
    assert_false(token_parse(slice_str(""), &token));
    assert_false(token_parse(slice_of(known_text, TOKEN_TEXT - 1), &token));
    snprintf(text, sizeof text, "%sa", known_text);
    assert_false(token_parse(slice_str(text), &token));
    memcpy(text, known_text, TOKEN_TEXT + 1);
    text[9] = '1';
    assert_false(token_parse(slice_str(text), &token));
    memset(text, 'a', TOKEN_TEXT); /* version 0 */
    assert_false(token_parse(slice_of(text, TOKEN_TEXT), &token));
    memcpy(text, "cd", 2); /* version 1, kind 0 */
    assert_false(token_parse(slice_of(text, TOKEN_TEXT), &token));
    text[1] = 'e'; /* kind 1 */
    assert_true(token_parse(slice_of(text, TOKEN_TEXT), &token));
    text[TOKEN_TEXT - 1] = 'b'; /* a bit too many */
    assert_false(token_parse(slice_of(text, TOKEN_TEXT), &token));
}

static void what_cannot_be_signed_is_refused(void **state)
{
    static char destination[DESTINATION_MAX + 1];
    char text[TOKEN_TEXT + 1];
    struct token token = known;

    assert_true(token_sign(*state, &token, slice_of(destination, DESTINATION_MAX), text));
    assert_false(token_sign(*state, &token, slice_of(destination, DESTINATION_MAX + 1), text));
    assert_string_equal(text, "");
    token.kind = (enum token_kind)(TOKEN_CONSENT + 1);
    assert_false(token_sign(*state, &token, slice_str(""), text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_known_token_is_made_and_read),
        cmocka_unit_test(case_does_not_matter),
        cmocka_unit_test(every_changed_character_is_noticed),
        cmocka_unit_test(a_key_that_is_not_here_is_not_a_forgery),
        cmocka_unit_test(a_revoked_key_is_neither_unknown_nor_good),
        cmocka_unit_test(a_retired_key_still_verifies),
        cmocka_unit_test(the_kind_has_a_key_of_its_own),
        cmocka_unit_test(what_has_not_our_shape_is_malformed),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
    };

    return cmocka_run_group_tests_name("token", tests, setup, teardown);
}
