/* SPDX-License-Identifier: BSD-2-Clause */
/* base64 - see base64.h */

#include "mail/base64.h"

#include <stdint.h>

enum { OTHER = 64, PAD = 65, BLANK = 66 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The value of a character; the rest is padding, blank, or has no business here. */
static const unsigned char values[256] = {
#define X4 OTHER, OTHER, OTHER, OTHER
#define X16 X4, X4, X4, X4
    X4, X4, OTHER, BLANK, BLANK, OTHER, OTHER, BLANK, OTHER, OTHER, X16, BLANK, OTHER, OTHER, OTHER, X4, OTHER, OTHER, OTHER, 62, OTHER, OTHER, OTHER, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61, OTHER, OTHER, OTHER, PAD, OTHER, OTHER,
    OTHER, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, OTHER, OTHER, OTHER, OTHER, OTHER,
    OTHER, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, OTHER, OTHER, OTHER, OTHER, OTHER,
    X16, X16, X16, X16, X16, X16, X16, X16,
#undef X16
#undef X4
};

/* What is open in the group of four at hand. */
struct group {
    uint32_t bits;
    unsigned count;
};

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
        unsigned char value = values[(unsigned char)text.p[at]];

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
    /* a first line that is no group of fours, or a lone long one, is a shape not worth keeping */
    if (shape.line % 4 || shape.line > 76 || (shape.line == 0 && text.len > 76))
        shape.line = 76;
    return shape;
}

static void encode_group(const unsigned char *from, size_t left, char *to)
{
    uint32_t bits = (uint32_t)from[0] << 16 | (left > 1 ? (uint32_t)from[1] << 8 : 0) | (left > 2 ? from[2] : 0);

    to[0] = alphabet[bits >> 18];
    to[1] = alphabet[bits >> 12 & 63];
    to[2] = left > 1 ? alphabet[bits >> 6 & 63] : '=';
    to[3] = left > 2 ? alphabet[bits & 63] : '=';
}

bool base64_encode(struct slice bytes, struct base64_shape shape, struct buf *out)
{
    const unsigned char *from = (const unsigned char *)bytes.p;
    const char *line_break = shape.crlf ? "\r\n" : "\n";
    size_t column = 0, groups = bytes.len / 3 + 1;
    char four[4];

    if (!buf_reserve(out, groups * 4 + (shape.line ? groups * 4 / shape.line * 2 : 0) + 4))
        return false;
    for (size_t at = 0; at < bytes.len; at += 3) {
        if (shape.line && column + 4 > shape.line) {
            buf_add_str(out, line_break);
            column = 0;
        }
        encode_group(from + at, bytes.len - at, four);
        buf_add(out, four, sizeof four);
        column += 4;
    }
    if (shape.final_break)
        buf_add_str(out, line_break);
    return !out->failed;
}
