/* SPDX-License-Identifier: BSD-2-Clause */
/* hex - see hex.h */

#include "common/hex.h"

static const char digits[] = "0123456789abcdef";

void hex_write(const uint8_t *bytes, size_t count, char *text)
{
    for (size_t at = 0; at < count; at++) {
        text[2 * at] = digits[bytes[at] >> 4];
        text[2 * at + 1] = digits[bytes[at] & 15];
    }
    text[2 * count] = '\0';
}

void hex_add(struct buf *out, const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count; at++) {
        buf_add_char(out, digits[bytes[at] >> 4]);
        buf_add_char(out, digits[bytes[at] & 15]);
    }
}

bool hex_read(struct slice text, uint8_t *bytes, size_t count)
{
    if (text.len != 2 * count)
        return false;
    for (size_t at = 0; at < count; at++) {
        int high = ascii_hex_value(text.p[2 * at]), low = ascii_hex_value(text.p[2 * at + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[at] = (uint8_t)(high << 4 | low);
    }
    return true;
}

bool hex_decode(struct slice text, struct buf *out)
{
    if (text.len % 2 || !buf_reserve(out, text.len / 2))
        return false;
    for (size_t at = 0; at < text.len; at += 2) {
        int high = ascii_hex_value(text.p[at]), low = ascii_hex_value(text.p[at + 1]);

        if (high < 0 || low < 0)
            return false;
        buf_add_char(out, (char)(high << 4 | low));
    }
    return !out->failed;
}
