/* SPDX-License-Identifier: BSD-2-Clause */
/* header_words - encoded words of RFC 2047; see header.h */

#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/header.h"

enum { TEXT_PER_CHARACTER = 8 /* bytes that an encoded word spends on one of its characters, with room */ };
enum { WORD_MAX = 4096 }; /* RFC 2047 says 75; some programs write whole subjects as one word */

/* =?charset?B?text?= in pieces. */
struct word {
    struct slice charset, text;
    char encoding; /* 'b' or 'q' */
    size_t len;    /* of the whole */
};

static size_t find_char(struct slice text, size_t from, char c)
{
    const char *found = from < text.len ? memchr(text.p + from, c, text.len - from) : NULL;

    return found ? (size_t)(found - text.p) : text.len;
}

static bool word_at(struct slice text, struct word *word)
{
    size_t charset_end, end;
    const char *language;

    if (text.len > WORD_MAX)
        text.len = WORD_MAX;
    if (text.len < 2 || memcmp(text.p, "=?", 2) != 0)
        return false;
    charset_end = find_char(text, 2, '?');
    if (charset_end + 3 >= text.len || text.p[charset_end + 2] != '?')
        return false;
    word->encoding = ascii_lower(text.p[charset_end + 1]);
    end = find_char(text, charset_end + 3, '?');
    if (end + 1 >= text.len || text.p[end + 1] != '=' || (word->encoding != 'b' && word->encoding != 'q'))
        return false;
    word->charset = slice_of(text.p + 2, charset_end - 2);
    language = memchr(word->charset.p, '*', word->charset.len); /* RFC 2231 5 */
    if (language)
        word->charset.len = (size_t)(language - word->charset.p);
    word->text = slice_of(text.p + charset_end + 3, end - charset_end - 3);
    word->len = end + 2;
    return true;
}

static void decode_q(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++) {
        int high = text.p[at] == '=' && at + 2 < text.len ? ascii_hex_value(text.p[at + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.p[at + 2]) : -1;

        if (low >= 0) {
            buf_add_char(out, (char)(high * 16 + low));
            at += 2;
        } else {
            buf_add_char(out, text.p[at] == '_' ? ' ' : text.p[at]);
        }
    }
}

static void decode_bytes(const struct word *word, struct buf *bytes)
{
    if (word->encoding == 'b')
        base64_decode(word->text, bytes);
    else
        decode_q(word->text, bytes);
}

static size_t skip_blank(struct slice text, size_t at)
{
    while (at < text.len && ascii_is_space(text.p[at]))
        at++;
    return at;
}

/*
 * The run of words at the start of TEXT decoded, or kept when it cannot be; returns how much of TEXT it was,
 * 0 when there is none. Neighbours of one charset and encoding are joined as bytes first: programs cut
 * characters in two.
 */
static size_t decode_run(struct slice text, struct buf *bytes, struct buf *out)
{
    struct word first, word;
    size_t at, next;

    if (!word_at(text, &first))
        return 0;
    buf_reset(bytes);
    decode_bytes(&first, bytes);
    at = first.len;
    for (;;) {
        next = skip_blank(text, at);
        if (!word_at(slice_from(text, next), &word) || word.encoding != first.encoding ||
            !slice_eq_i(word.charset, first.charset))
            break;
        decode_bytes(&word, bytes);
        at = next + word.len;
    }
    if (!charset_to_utf8(first.charset, buf_slice(bytes), out))
        buf_add(out, text.p, at);
    return at;
}

/* Up to the next place where a word or its white space may begin. */
static size_t plain_end(struct slice text, size_t at)
{
    while (at < text.len && text.p[at] != '=' && !ascii_is_space(text.p[at]))
        at++;
    return at;
}

bool header_decode_words(struct slice value, struct buf *out)
{
    struct buf bytes;
    bool after_word = false;
    size_t at = 0;

    buf_init(&bytes, HEADER_BYTES_MAX);
    while (at < value.len) {
        size_t start = skip_blank(value, at);
        size_t before = out->len;
        size_t len;

        if (!after_word) /* the white space between two words is no part of the text */
            buf_add(out, value.p + at, start - at);
        len = start < value.len ? decode_run(slice_from(value, start), &bytes, out) : 0;
        if (len == 0 && after_word) { /* what followed was no word after all */
            out->len = before;
            buf_add(out, value.p + at, start - at);
        }
        at = start + len;
        after_word = len > 0;
        if (!after_word && at < value.len) {
            size_t end = plain_end(value, at + 1);

            buf_add(out, value.p + at, end - at);
            at = end;
        }
    }
    buf_free(&bytes);
    return !out->failed;
}

/* Back to where a character of UTF-8 begins. */
static size_t character_start(struct slice text, size_t at)
{
    while (at > 0 && at < text.len && ((unsigned char)text.p[at] & 0xC0) == 0x80)
        at--;
    return at;
}

bool header_text(const struct header_list *headers, const char *name, size_t most, struct buf *out)
{
    struct slice value = slice_str(header_value(headers, name));
    struct buf flat;
    bool done;

    if (value.len > TEXT_PER_CHARACTER * most) /* what is beyond would be cut off in the end */
        value.len = TEXT_PER_CHARACTER * most;
    buf_init(&flat, TEXT_PER_CHARACTER * most);
    done = header_unfold(value, &flat) && header_decode_words(buf_slice(&flat), out);
    buf_free(&flat);
    if (done && out->len > most) {
        out->len = character_start(buf_slice(out), most);
        out->data[out->len] = '\0';
    }
    return done;
}
