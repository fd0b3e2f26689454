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
