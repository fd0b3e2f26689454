/* SPDX-License-Identifier: BSD-2-Clause */
/* return paths: which addresses are one, and for whom one may stand */

#include "common/address.h"
#include "mail/address_token.h"
#include "mail/return_path.h"
#include "tests/unit/incoming_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static char *local[] = {(char *)"example.com", (char *)"xn--bcher-kva.example"};
static const struct conf_list local_domains = {.item = local, .count = 2};

static void what_is_made_is_read_back(void **state)
{
    struct keys *keys = incoming_keys(1), *others = incoming_keys(2);
    struct token token;
    struct buf path;

    (void)state;
    buf_init(&path, ADDRESS_MAX);
    assert_true(return_path_add(&path, "bounces+{token}@example.com", keys, 77, 5));
    assert_int_equal(path.len, sizeof "bounces+@example.com" - 1 + TOKEN_TEXT);
    assert_int_equal(token_verify(keys, address_token(buf_slice(&path), TOKEN_BOUNCE), slice_str(""), &token), TOKEN_GOOD);
    assert_true(token.kind == TOKEN_BOUNCE && token.message == 77 && token.recipient == 5);
    assert_int_equal(token_verify(others, address_token(buf_slice(&path), TOKEN_BOUNCE), slice_str(""), &token),
                     TOKEN_UNKNOWN_KEY);
    for (size_t at = 0; at < path.len; at++) { /* every piece of it is of another shape, but one that lacks the name */
        struct slice head = slice_of(path.data, at), tail = slice_from(buf_slice(&path), at);

        assert_true(slice_empty(address_token(head, TOKEN_BOUNCE)) || at > path.len - strlen("example.com") - 1);
        assert_int_equal(slice_empty(address_token(tail, TOKEN_BOUNCE)), at > strlen("bounces"));
    }
    buf_reset(&path);
    assert_false(return_path_add(&path, "bounces@example.com", keys, 77, 5));
    buf_free(&path);
    keys_free(keys);
    keys_free(others);
}

static void other_kinds_of_tokens_make_none(void **state)
{
    struct token token = {.kind = TOKEN_UNSUBSCRIBE, .message = 1};
    struct keys *keys = incoming_keys(1);
    char text[TOKEN_TEXT + 1], address[100];

    (void)state;
    assert_true(token_sign(keys, &token, slice_str(""), text));
    snprintf(address, sizeof address, "stop+%s@example.com", text);
    assert_true(slice_empty(address_token(slice_str(address), TOKEN_BOUNCE)));
    keys_free(keys);
}

static void one_stands_only_for_a_plain_address_of_ours(void **state)
{
    static const struct {
        const char *address;
        bool serves;
    } rows[] = {
        {"ann@example.com", true},         {"ann+tag@EXAMPLE.com", true},  {"a.n.n@xn--bcher-kva.example", true},
        {"ann@sub.example.com", false},    {"ann@elsewhere.test", false},  {"\"ann b\"@example.com", false},
        {".ann@example.com", false},       {"ann.@example.com", false},    {"a..b@example.com", false},
        {"\xc3\xa4@example.com", false},   {"@example.com", false},        {"example.com", false},
        {"", false},                       {"a@b@example.com", false},     {"a b@example.com", false},
        {"a\r\nb@example.com", false},     {"<ann@example.com>", false},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++)
        if (return_path_serves(&local_domains, slice_str(rows[row].address)) != rows[row].serves)
            fail_msg("%s", rows[row].address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_made_is_read_back),
        cmocka_unit_test(other_kinds_of_tokens_make_none),
        cmocka_unit_test(one_stands_only_for_a_plain_address_of_ours),
    };

    return cmocka_run_group_tests_name("return_path", tests, NULL, NULL);
}
