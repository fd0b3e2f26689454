/* SPDX-License-Identifier: BSD-2-Clause */
/* pass - see pass.h */

#include "mail/pass.h"

#include "common/address.h"
#include "common/big_endian.h"
#include "common/decimal.h"
#include "common/digest.h"
#include "common/hex.h"

#include <inttypes.h>

enum {
    MAC_BYTES = 16,
    VALUE_MAX = 100 + 3 * ADDRESS_MAX + 100
};

static const char label[] = "spoor pass 1";
static const char mac_tag[] = "s=";

/* Of struct pass, in the order in which they stand. */
static const struct flag {
    const char *word;
    size_t offset;
} flags[] = {
    {"body", offsetof(struct pass, body)},
    {"views", offsetof(struct pass, views)},
    {"links", offsetof(struct pass, links)},
    {"unsubscribe", offsetof(struct pass, unsubscribe)},
};

static bool make_mac(struct keys *keys, uint8_t key, struct slice said, struct slice message_id, uint8_t mac[KEYS_MAC_BYTES])
{
    uint8_t len[2];
    const struct slice parts[] = {
        slice_of(label, sizeof label - 1),
        slice_of((const char *)len, sizeof len),
        said,
        message_id,
    };

    be_put(len, said.len, sizeof len);
    return keys_holds(keys_mac(keys, key, KEYS_LABEL_PASS, parts, sizeof parts / sizeof *parts, mac));
}

/* --- writing ------------------------------------------------------------------------------------ */

/* What could end a tag, and all that is not ASCII, as %XX. */
static void add_owner(struct buf *out, struct slice owner)
{
    for (size_t at = 0; at < owner.len; at++) {
        char c = owner.p[at];

        if (c > ' ' && c < 0x7f && c != ';' && c != '%')
            buf_add_char(out, c);
        else
            buf_add_f(out, "%%%02x", (unsigned)(unsigned char)c);
    }
}

static void add_flags(struct buf *out, const struct pass *pass)
{
    const char *comma = "";

    for (size_t at = 0; at < sizeof flags / sizeof *flags; at++) {
        if (*(const bool *)((const char *)pass + flags[at].offset)) {
            buf_add_f(out, "%s%s", comma, flags[at].word);
            comma = ",";
        }
    }
}

/* A field's value from the text without white space: lines stay below 998 bytes (RFC 5322 2.1.1). */
static void fold(struct slice text, struct buf *value)
{
    for (size_t at = 0; at < text.len; at++) {
        buf_add_char(value, text.p[at]);
        if (text.p[at] == ';')
            buf_add_str(value, text.p[at + 1] == 'o' || text.p[at + 1] == 's' ? "\n\t" : " ");
    }
}

bool pass_write(struct keys *keys, const struct pass *pass, struct slice message_id, struct buf *value)
{
    uint8_t mac[KEYS_MAC_BYTES], key = keys_signing_id(keys);
    struct buf text;

    buf_init(&text, VALUE_MAX);
    buf_reset(value);
    buf_add_f(&text, "v=1;k=%u;m=%" PRIu64 ";t=%" PRId64 ";l=%s;d=", key, pass->message, pass->time_s,
              tracking_level_name(pass->level));
    add_flags(&text, pass);
    buf_add_str(&text, ";o=");
    add_owner(&text, pass->owner);
    buf_add_char(&text, ';');
    if (!text.failed && make_mac(keys, key, buf_slice(&text), message_id, mac)) {
        buf_add_str(&text, mac_tag);
        hex_add(&text, mac, MAC_BYTES);
        fold(buf_slice(&text), value);
    }
    buf_free(&text);
    if (value->failed)
        buf_reset(value);
    return value->len > 0;
}

/* --- reading ------------------------------------------------------------------------------------- */

/* "NAME=...;" at the beginning of REST, which moves behind it. */
static bool take_tag(struct slice *rest, char name, struct slice *value)
{
    const char *end = rest->len ? memchr(rest->p, ';', rest->len) : NULL;

    if (!end || end - rest->p < 2 || rest->p[0] != name || rest->p[1] != '=')
        return false;
    *value = slice_of(rest->p + 2, (size_t)(end - rest->p) - 2);
    *rest = slice_from(*rest, value->len + 3);
    return true;
}

static bool take_number(struct slice *rest, char name, uint64_t most, uint64_t *number)
{
    struct slice digits;

    return take_tag(rest, name, &digits) && decimal_read(digits, most, number);
}

static bool take_level(struct slice *rest, enum tracking_level *level)
{
    struct slice word;

    if (!take_tag(rest, 'l', &word))
        return false;
    for (*level = LEVEL_OFF; *level <= LEVEL_INDIVIDUAL; ++*level)
        if (slice_is(word, tracking_level_name(*level)))
            return true;
    return false;
}

static bool take_flags(struct slice *rest, struct pass *pass)
{
    struct slice words;

    if (!take_tag(rest, 'd', &words))
        return false;
    for (size_t at = 0; at < sizeof flags / sizeof *flags; at++)
        *(bool *)((char *)pass + flags[at].offset) = slice_find_i(words, flags[at].word) != (size_t)-1;
    return true;
}

/* Decoded where it stands: it only gets shorter. */
static bool take_owner(struct slice *rest, struct slice *owner)
{
    size_t len = 0;
    char *text;

    if (!take_tag(rest, 'o', owner))
        return false;
    text = (char *)(uintptr_t)owner->p;
    for (size_t at = 0; at < owner->len; at++) {
        int high, low;

        if (text[at] != '%') {
            text[len++] = text[at];
            continue;
        }
        if (owner->len - at < 3 || (high = ascii_hex_value(text[at + 1])) < 0 || (low = ascii_hex_value(text[at + 2])) < 0)
            return false;
        text[len++] = (char)(high << 4 | low);
        at += 2;
    }
    owner->len = len;
    return true;
}

/* The MAC first: only what we have written is taken apart. */
static const char *verify(struct keys *keys, struct slice text, struct slice message_id)
{
    enum { TAIL = sizeof mac_tag - 1 + 2 * MAC_BYTES };
    uint8_t mac[KEYS_MAC_BYTES];
    char digits[2 * MAC_BYTES + 1];
    uint64_t version, key;
    struct slice said = slice_of(text.p, text.len > TAIL ? text.len - TAIL : 0);
    struct slice start = said;

    if (!take_number(&start, 'v', 1, &version) || version != 1 || !take_number(&start, 'k', UINT8_MAX, &key) ||
        said.p[said.len - 1] != ';' || memcmp(said.p + said.len, mac_tag, sizeof mac_tag - 1) != 0)
        return "forged_pass";
    if (!make_mac(keys, (uint8_t)key, said, message_id, mac))
        return "unknown_key";
    hex_write(mac, MAC_BYTES, digits);
    return digest_equal(digits, text.p + text.len - 2 * MAC_BYTES, 2 * MAC_BYTES) ? NULL : "forged_pass";
}

static bool parse(struct slice text, struct pass *pass)
{
    struct slice skipped;
    uint64_t time_s;

    if (!take_tag(&text, 'v', &skipped) || !take_tag(&text, 'k', &skipped) ||
        !take_number(&text, 'm', UINT64_MAX, &pass->message) || !take_number(&text, 't', INT64_MAX, &time_s))
        return false;
    pass->time_s = (int64_t)time_s;
    return take_level(&text, &pass->level) && take_flags(&text, pass) && take_owner(&text, &pass->owner);
}

const char *pass_read(struct keys *keys, struct slice value, struct slice message_id, int64_t now_s, struct pass *pass,
                      struct buf *text)
{
    const char *reason;

    *pass = (struct pass){.level = LEVEL_OFF};
    buf_reset(text);
    if (value.len > VALUE_MAX)
        return "forged_pass";
    for (size_t at = 0; at < value.len; at++)
        if (!ascii_is_space(value.p[at]))
            buf_add_char(text, value.p[at]);
    if (text->failed)
        return "memory";
    reason = verify(keys, buf_slice(text), message_id);
    if (!reason && !parse(buf_slice(text), pass))
        reason = "forged_pass";
    if (!reason && (pass->time_s > now_s + PASS_AHEAD_S || pass->time_s < now_s - PASS_LIFE_S))
        reason = "old_pass";
    return reason;
}
