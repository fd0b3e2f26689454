/* SPDX-License-Identifier: BSD-2-Clause */
/* token - see token.h */

#include "common/token.h"

#include "common/big_endian.h"
#include "common/digest.h"

#include <string.h>

/* What stands where in the 32 bytes. */
enum {
    AT_VERSION = 0,
    AT_KEY_ID = 1,
    AT_MESSAGE = 2,
    AT_RECIPIENT = 10,
    AT_INDEX = 14,
    AT_MAC = 16,
    MAC_BYTES = TOKEN_BYTES - AT_MAC
};

enum { AGGREGATE = 0x8000 }; /* the bit above the index */

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
static const char label[] = "spoor token 1";

static void base32_write(const uint8_t in[TOKEN_BYTES], char out[TOKEN_TEXT + 1])
{
    unsigned waiting = 0, bits = 0;

    for (size_t at = 0; at < TOKEN_BYTES; at++) {
        waiting = (waiting << 8 | in[at]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            *out++ = alphabet[waiting >> (bits - 5) & 31];
    }
    *out++ = alphabet[waiting << (5 - bits) & 31];
    *out = '\0';
}

/* One more than the value of a character, 0 for what is no digit. */
static const uint8_t digit[256] = {
    ['a'] = 1,  ['b'] = 2,  ['c'] = 3,  ['d'] = 4,  ['e'] = 5,  ['f'] = 6,  ['g'] = 7,  ['h'] = 8,  ['i'] = 9,
    ['j'] = 10, ['k'] = 11, ['l'] = 12, ['m'] = 13, ['n'] = 14, ['o'] = 15, ['p'] = 16, ['q'] = 17, ['r'] = 18,
    ['s'] = 19, ['t'] = 20, ['u'] = 21, ['v'] = 22, ['w'] = 23, ['x'] = 24, ['y'] = 25, ['z'] = 26, ['A'] = 1,
    ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,  ['I'] = 9,  ['J'] = 10,
    ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17, ['R'] = 18, ['S'] = 19,
    ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['2'] = 27, ['3'] = 28,
    ['4'] = 29, ['5'] = 30, ['6'] = 31, ['7'] = 32,
};

static int base32_value(char c)
{
    return digit[(unsigned char)c] - 1;
}

static bool base32_read(struct slice text, uint8_t out[TOKEN_BYTES])
{
    unsigned waiting = 0, bits = 0;
    size_t len = 0;

    if (text.len != TOKEN_TEXT)
        return false;
    for (size_t at = 0; at < TOKEN_TEXT; at++) {
        int value = base32_value(text.p[at]);

        if (value < 0)
            return false;
        waiting = (waiting << 5 | (unsigned)value) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[len++] = (uint8_t)(waiting >> bits);
        }
    }
    return (waiting & ((1U << bits) - 1)) == 0;
}

static enum key_state token_mac(struct keys *keys, const struct token *token, const uint8_t bytes[TOKEN_BYTES],
                      struct slice destination, uint8_t mac[KEYS_MAC_BYTES])
{
    uint8_t len[2];
    const struct slice parts[] = {
        slice_of(label, sizeof label - 1),
        slice_of((const char *)bytes, AT_MAC),
        slice_of((const char *)len, sizeof len),
        destination,
    };

    be_put(len, destination.len, sizeof len);
    return keys_mac(keys, token->key_id, token->kind, parts, sizeof parts / sizeof *parts, mac);
}

/* Keys may be loaded again between the two questions, and the one that signed be revoked: then with the new one. */
static enum key_state sign(struct keys *keys, struct token *token, uint8_t bytes[TOKEN_BYTES], struct slice destination,
                           uint8_t mac[KEYS_MAC_BYTES])
{
    enum key_state state;

    do {
        token->key_id = keys_signing_id(keys);
        bytes[AT_KEY_ID] = token->key_id;
        state = token_mac(keys, token, bytes, destination, mac);
    } while (state == KEY_REVOKED);
    return state;
}

bool token_sign(struct keys *keys, struct token *token, struct slice destination, char text[TOKEN_TEXT + 1])
{
    uint8_t bytes[TOKEN_BYTES], mac[KEYS_MAC_BYTES];

    text[0] = '\0';
    if (destination.len > DESTINATION_MAX || token->kind < TOKEN_VIEW || token->kind > TOKEN_CONSENT ||
        token->index > TOKEN_INDEX_MAX)
        return false;
    bytes[AT_VERSION] = (uint8_t)(TOKEN_VERSION << 4 | token->kind);
    be_put(bytes + AT_MESSAGE, token->message, 8);
    be_put(bytes + AT_RECIPIENT, token->recipient, 4);
    be_put(bytes + AT_INDEX, token->index | (token->aggregate ? AGGREGATE : 0U), 2);
    if (sign(keys, token, bytes, destination, mac) == KEY_UNKNOWN)
        return false;
    memcpy(bytes + AT_MAC, mac, MAC_BYTES);
    base32_write(bytes, text);
    return true;
}

static bool token_read(struct slice text, struct token *token, uint8_t bytes[TOKEN_BYTES])
{
    uint8_t kind;

    if (!base32_read(text, bytes) || bytes[AT_VERSION] >> 4 != TOKEN_VERSION)
        return false;
    kind = bytes[AT_VERSION] & 15;
    if (kind < TOKEN_VIEW || kind > TOKEN_CONSENT)
        return false;
    *token = (struct token){
        .kind = (enum token_kind)kind,
        .key_id = bytes[AT_KEY_ID],
        .message = be_get(bytes + AT_MESSAGE, 8),
        .recipient = (uint32_t)be_get(bytes + AT_RECIPIENT, 4),
        .aggregate = be_get(bytes + AT_INDEX, 2) & AGGREGATE,
        .index = be_get(bytes + AT_INDEX, 2) & TOKEN_INDEX_MAX,
    };
    return true;
}

enum token_result token_verify(struct keys *keys, struct slice text, struct slice destination, struct token *token)
{
    uint8_t bytes[TOKEN_BYTES], mac[KEYS_MAC_BYTES];
    enum key_state state;

    if (!token_read(text, token, bytes))
        return TOKEN_MALFORMED;
    if (destination.len > DESTINATION_MAX)
        return TOKEN_FORGED;
    state = token_mac(keys, token, bytes, destination, mac);
    if (state == KEY_UNKNOWN)
        return TOKEN_UNKNOWN_KEY;
    if (!digest_equal(mac, bytes + AT_MAC, MAC_BYTES))
        return TOKEN_FORGED;
    return keys_holds(state) ? TOKEN_GOOD : TOKEN_REVOKED;
}

bool token_parse(struct slice text, struct token *token)
{
    uint8_t bytes[TOKEN_BYTES];

    return token_read(text, token, bytes);
}

const char *token_kind_name(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_VIEW: return "view";
    case TOKEN_CLICK: return "click";
    case TOKEN_DOCUMENT: return "document";
    case TOKEN_UNSUBSCRIBE: return "unsubscribe";
    case TOKEN_MESSAGE_ID: return "message-id";
    case TOKEN_ANCHOR: return "anchor";
    case TOKEN_BOUNCE: return "bounce";
    case TOKEN_CONSENT: return "consent";
    }
    return "unknown";
}
