/* SPDX-License-Identifier: BSD-2-Clause */
/* webp - see webp.h */

#include "render/webp.h"

#include "common/little_endian.h"

enum { HEADER_BYTES = 30 /* up to the size, in each of the forms */, RIFF_BYTES = 8 };

static int number_24(const char *at)
{
    return (unsigned char)at[0] | (unsigned char)at[1] << 8 | (unsigned char)at[2] << 16;
}

bool webp_size(struct slice image, int *width, int *height)
{
    const char *start = image.p;
    uint32_t bits;

    if (image.len < HEADER_BYTES || memcmp(start, "RIFF", 4) != 0 || memcmp(start + 8, "WEBP", 4) != 0 ||
        (uint64_t)le32_get(start + 4) + RIFF_BYTES != image.len)
        return false;
    if (memcmp(start + 12, "VP8 ", 4) == 0 && memcmp(start + 23, "\x9D\x01\x2A", 3) == 0) {
        *width = le16_get(start + 26) & 0x3FFF;
        *height = le16_get(start + 28) & 0x3FFF;
    } else if (memcmp(start + 12, "VP8L", 4) == 0 && start[20] == 0x2F) {
        bits = le32_get(start + 21);
        *width = (int)(bits & 0x3FFF) + 1;
        *height = (int)(bits >> 14 & 0x3FFF) + 1;
    } else if (memcmp(start + 12, "VP8X", 4) == 0) {
        *width = number_24(start + 24) + 1;
        *height = number_24(start + 27) + 1;
    } else {
        return false;
    }
    return *width > 0 && *height > 0;
}
