/* SPDX-License-Identifier: BSD-2-Clause */
/* big_endian - numbers as bytes, greatest first, of any width up to eight. */
#ifndef COMMON_BIG_ENDIAN_H
#define COMMON_BIG_ENDIAN_H

#include <stddef.h>
#include <stdint.h>

static inline void be_put(uint8_t *at, uint64_t value, size_t bytes)
{
    while (bytes--) {
        at[bytes] = (uint8_t)value;
        value >>= 8;
    }
}

static inline uint64_t be_get(const uint8_t *at, size_t bytes)
{
    uint64_t value = 0;

    for (size_t n = 0; n < bytes; n++)
        value = value << 8 | at[n];
    return value;
}

#endif
