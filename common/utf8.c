/* SPDX-License-Identifier: BSD-2-Clause */
/* utf8 - see utf8.h */

#include "common/utf8.h"

#include <stdint.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0) == 0x80;
}

/* The second byte of some first bytes is bounded further: no overlong forms, no surrogates, nothing above U+10FFFF. */
static bool second_fits(unsigned char first, unsigned char second)
{
    switch (first) {
    case 0xE0:
        return second >= 0xA0;
    case 0xED:
        return second < 0xA0;
    case 0xF0:
        return second >= 0x90;
    case 0xF4:
        return second < 0x90;
    default:
        return true;
    }
}

size_t utf8_character(struct slice s)
{
    unsigned char first;
    size_t len;

    if (slice_empty(s) || s.p[0] == '\0')
        return 0;
    first = (unsigned char)s.p[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    len = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (s.len < len || !second_fits(first, (unsigned char)s.p[1]))
        return 0;
    for (size_t at = 1; at < len; at++)
        if (!is_continuation(s.p[at]))
            return 0;
    return len;
}

bool utf8_clean(struct slice text, struct buf *out)
{
    size_t good = 0;

    while (good < text.len) {
        size_t len = utf8_character(slice_from(text, good));

        if (len) {
            good += len;
            continue;
        }
        buf_add(out, text.p, good);
        buf_add_str(out, "\xEF\xBF\xBD");
        text = slice_from(text, good + 1);
        good = 0;
    }
    buf_add(out, text.p, good);
    return !out->failed;
}
