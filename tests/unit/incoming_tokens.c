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

static struct keys *load_keys(unsigned key_id, const char *rest)
{
    char path[] = "/tmp/spoor-incoming-XXXXXX";
    int fd = mkstemp(path);
    struct keys *keys;
    struct buf error;

    buf_init(&error, 1000);
    assert_true(fd >= 0 && dprintf(fd, "address " SECRET "\nkey %u " SECRET "%s\n", key_id, rest) > 0);
    close(fd);
    keys = keys_load(path, &error);
    unlink(path);
    assert_non_null(keys);
    buf_free(&error);
    return keys;
}

struct keys *incoming_keys(unsigned key_id)
{
    return load_keys(key_id, "");
}

struct keys *incoming_keys_revoking(unsigned key_id)
{
    return load_keys(key_id, " revoked\nkey 255 " SECRET);
}

/* Signs for the recipient, or for one of several. */
static void sign(struct keys *keys, enum token_kind kind, bool one, char text[TOKEN_TEXT + 1])
{
    struct token token = {.kind = kind, .message = INCOMING_MESSAGE, .index = kind == TOKEN_CLICK};

    if (one)
        token.recipient = keys_recipient(keys, slice_str(INCOMING_RECIPIENT));
    assert_true(token_sign(keys, &token, slice_str(kind == TOKEN_CLICK ? INCOMING_DESTINATION : ""), text));
}

static void sign_with_other_key(char text[TOKEN_TEXT + 1])
{
    struct keys *other = incoming_keys(200);

    sign(other, TOKEN_MESSAGE_ID, true, text);
    keys_free(other);
}

static const struct {
    const char *word;
    enum token_kind kind;
    bool forged;
} words[] = {
    {"message_id", TOKEN_MESSAGE_ID, false}, {"several", TOKEN_MESSAGE_ID, false}, {"upper", TOKEN_MESSAGE_ID, false},
    {"unknown_key", TOKEN_MESSAGE_ID, false}, {"forged", TOKEN_MESSAGE_ID, true},  {"anchor", TOKEN_ANCHOR, false},
    {"view", TOKEN_VIEW, false},              {"view_forged", TOKEN_VIEW, true},   {"click", TOKEN_CLICK, false},
    {"bounce", TOKEN_BOUNCE, false},          {"bounce_forged", TOKEN_BOUNCE, true},
};

/* The token of WORD without ".1" or ".2". */
static void whole_token(struct keys *keys, const char *word, char text[TOKEN_TEXT + 1])
{
    size_t len = strcspn(word, ".");

    for (size_t n = 0; n < sizeof words / sizeof words[0]; n++) {
        if (strncmp(word, words[n].word, len) != 0 || words[n].word[len])
            continue;
        sign(keys, words[n].kind, strcmp(word, "several") != 0, text);
        if (strcmp(word, "unknown_key") == 0)
            sign_with_other_key(text);
        if (words[n].forged)
            text[39] = text[39] == 'a' ? 'b' : 'a';
        for (size_t at = 0; strcmp(word, "upper") == 0 && at < TOKEN_TEXT; at++)
            text[at] = ascii_is_alpha(text[at]) ? (char)(text[at] & ~0x20) : text[at];
        return;
    }
    fail_msg("no such placeholder: %s", word);
}

void incoming_token(struct keys *keys, const char *word, char text[TOKEN_TEXT + 1])
{
    const char *half = strchr(word, '.');

    whole_token(keys, word, text);
    if (half && half[1] == '1')
        text[TOKEN_TEXT / 2] = '\0';
    if (half && half[1] == '2')
        memmove(text, text + TOKEN_TEXT / 2, TOKEN_TEXT / 2 + 1);
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
