/* SPDX-License-Identifier: BSD-2-Clause */
/* base64 - see base64.h */

#include "mail/base64.h"

#include <stdint.h>

enum { OTHER = 64, PAD = 65, BLANK = 66 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a character; the rest is padding, blank, or has no business here. */
static const unsigned char values[256] = {
#define X4  OTHER, OTHER, OTHER, OTHER
#define X16 X4, X4, X4, X4
    X4,    X4,    OTHER, BLANK, BLANK, OTHER, OTHER, BLANK, OTHER, OTHER, X16,   BLANK, OTHER, OTHER,
    OTHER, X4,    OTHER, OTHER, OTHER, 62,    OTHER, OTHER, OTHER, 63,    52,    53,    54,    55,
    56,    57,    58,    59,    60,    61,    OTHER, OTHER, OTHER, PAD,   OTHER, OTHER, OTHER, 0,
    1,     2,     3,     4,     5,     6,     7,     8,     9,     10,    11,    12,    13,    14,
    15,    16,    17,    18,    19,    20,    21,    22,    23,    24,    25,    OTHER, OTHER, OTHER,
    OTHER, OTHER, OTHER, 26,    27,    28,    29,    30,    31,    32,    33,    34,    35,    36,
    37,    38,    39,    40,    41,    42,    43,    44,    45,    46,    47,    48,    49,    50,
    51,    OTHER, OTHER, OTHER, OTHER, OTHER, X16,   X16,   X16,   X16,   X16,   X16,   X16,   X16,
#undef X16
#undef X4
};

/* What is open in the group of four at hand. */
struct group {
    uint32_t bits;
    unsigned count;
};

/* Whole groups of four with nothing between them: all of a line but its end. Returns how much of TEXT it was.
 */
static size_t decode_groups(const unsigned char *text, size_t len, unsigned char **to)
{
    unsigned char *out = *to;
    size_t at = 0;

    for (; at + 4 <= len; at += 4) {
        unsigned a = values[text[at]], b = values[text[at + 1]];
        unsigned c = values[text[at + 2]], d = values[text[at + 3]];

        if ((a | b | c | d) >= OTHER)
            break;
        *out++ = (unsigned char)(a << 2 | b >> 4);
        *out++ = (unsigned char)(b << 4 | c >> 2);
        *out++ = (unsigned char)(c << 6 | d);
    }
    *to = out;
    return at;
}

/* Padding: a group of two or three characters gives one or two bytes; anything else is damage. */
static bool close_group(struct group *group, unsigned char **to)
{
    if (group->count == 1)
        return false;
    if (group->count >= 2)
        *(*to)++ = (unsigned char)(group->bits >> (group->count == 2 ? 4 : 10));
    if (group->count == 3)
        *(*to)++ = (unsigned char)(group->bits >> 2);
    *group = (struct group){0};
    return true;
}

bool base64_decode(struct slice text, struct buf *out)
{
    struct group group = {0};
    unsigned char *start, *to;
    bool whole = true, padded = false;

    if (!buf_reserve(out, text.len / 4 * 3 + 3))
        return false;
    start = to = (unsigned char *)out->data + out->len;
    for (size_t at = 0; at < text.len && whole; at++) {
        unsigned char value;

        if (group.count == 0 && !padded)
            at += decode_groups((const unsigned char *)text.p + at, text.len - at, &to);
        if (at >= text.len)
            break;
        value = values[(unsigned char)text.p[at]];

        if (value < OTHER && !padded) {
            group.bits = group.bits << 6 | value;
            if (++group.count == 4) {
                *to++ = (unsigned char)(group.bits >> 16);
                *to++ = (unsigned char)(group.bits >> 8);
                *to++ = (unsigned char)group.bits;
                group = (struct group){0};
            }
        } else if (value == PAD) {
            whole = padded || close_group(&group, &to);
            padded = true;
        } else {
            whole = value == BLANK;
        }
    }
    whole = whole && close_group(&group, &to);
    out->len += (size_t)(to - start);
    out->data[out->len] = '\0';
    return whole && to > start;
}

struct base64_shape base64_shape_of(struct slice text)
{
    const char *newline = memchr(text.p, '\n', text.len);
    struct base64_shape shape = {.crlf = true};

    if (newline) {
        shape.crlf = newline > text.p && newline[-1] == '\r';
        shape.line = (size_t)(newline - text.p) - shape.crlf;
        shape.final_break = text.p[text.len - 1] == '\n';
    }
    /* a first line that is no group of fours is a shape not worth keeping; a lone line may grow beyond one */
    if (shape.line % 4 || shape.line > 76 || shape.line == 0)
        shape.line = 76;
    return shape;
}

static void encode_group(const unsigned char *from, size_t left, char *to)
{
    uint32_t bits =
        (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0) | (left > 2 ? from[2] : 0);

    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
    to[3] = left > 2 ? alphabet[bits & 63] : '=';
}

static char *add_break(struct base64_shape shape, char *to)
{
    if (shape.crlf)
        *to++ = '\r';
    *to++ = '\n';
    return to;
}

bool base64_encode(struct slice bytes, struct base64_shape shape, struct buf *out)
{
    const unsigned char *from = (const unsigned char *)bytes.p;
    size_t column = 0, groups = bytes.len / 3 + 1;
    char *to;

    if (!buf_reserve(out, groups * 4 + (shape.line ? groups * 4 / shape.line * 2 : 0) + 4))
        return false;
    to = out->data + out->len;
    for (size_t at = 0; at < bytes.len; at += 3) {
        if (shape.line && column + 4 > shape.line) {
            to = add_break(shape, to);
            column = 0;
        }
        encode_group(from + at, bytes.len - at, to);
        to += 4;
        column += 4;
    }
    if (shape.final_break)
        to = add_break(shape, to);
    out->len = (size_t)(to - out->data);
    out->data[out->len] = '\0';
    return true;
}
