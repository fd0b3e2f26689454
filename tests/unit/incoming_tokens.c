/* SPDX-License-Identifier: BSD-2-Clause */
/* incoming_tokens - see incoming_tokens.h */

#include "tests/unit/incoming_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define SECRET "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

struct keys *incoming_keys(unsigned key_id)
{
    char path[] = "/tmp/spoor-incoming-XXXXXX";
    int fd = mkstemp(path);
    struct keys *keys;
    struct buf error;

    buf_init(&error, 1000);
    assert_true(fd >= 0 && dprintf(fd, "address " SECRET "\nkey %u " SECRET "\n", key_id) > 0);
    close(fd);
    keys = keys_load(path, &error);
    unlink(path);
    assert_non_null(keys);
    buf_free(&error);
    return keys;
}

static void sign(struct keys *keys, enum token_kind kind, bool one, char text[TOKEN_TEXT + 1])
{
    struct token token = {.kind = kind, .message = INCOMING_MESSAGE};

    if (one)
        token.recipient = keys_recipient(keys, slice_str(INCOMING_RECIPIENT));
    assert_true(token_sign(keys, &token, slice_str(""), text));
}

static void sign_with_other_key(char text[TOKEN_TEXT + 1])
{
    struct keys *other = incoming_keys(200);

    sign(other, TOKEN_MESSAGE_ID, true, text);
    keys_free(other);
}

void incoming_token(struct keys *keys, const char *word, char text[TOKEN_TEXT + 1])
{
    sign(keys, TOKEN_MESSAGE_ID, strcmp(word, "several") != 0, text);
    if (strcmp(word, "anchor") == 0)
        sign(keys, TOKEN_ANCHOR, true, text);
    else if (strcmp(word, "view") == 0)
        sign(keys, TOKEN_VIEW, true, text);
    else if (strcmp(word, "unknown_key") == 0)
        sign_with_other_key(text);
    else if (strcmp(word, "forged") == 0)
        text[39] = text[39] == 'a' ? 'b' : 'a';
    else if (strcmp(word, "upper") == 0)
        for (size_t at = 0; at < TOKEN_TEXT; at++)
            text[at] = ascii_is_alpha(text[at]) ? (char)(text[at] & ~0x20) : text[at];
    else if (strcmp(word, "message_id") != 0 && strcmp(word, "several") != 0)
        fail_msg("no such placeholder: %s", word);
}

void incoming_fill(struct keys *keys, struct slice text, struct buf *out)
{
    size_t at;

    while ((at = slice_find_i(text, "@TOKEN:")) != (size_t)-1) {
        char word[32], token[TOKEN_TEXT + 1];
        struct slice rest = slice_from(text, at + strlen("@TOKEN:"));
        const char *end = memchr(rest.p, '@', rest.len);

        assert_true(end && (size_t)(end - rest.p) < sizeof word);
        memcpy(word, rest.p, (size_t)(end - rest.p));
        word[end - rest.p] = '\0';
        incoming_token(keys, word, token);
        buf_add_slice(out, slice_of(text.p, at));
        buf_add_str(out, token);
        text = slice_from(rest, (size_t)(end - rest.p) + 1);
    }
    assert_true(buf_add_slice(out, text));
}
