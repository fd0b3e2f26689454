/* SPDX-License-Identifier: BSD-2-Clause */
/* crc32c - see crc32c.h */

#include "common/crc32c.h"
#include "common/little_endian.h"

#include <pthread.h>
#include <stdbool.h>

enum { POLYNOMIAL_BITS = 8, LANES = 8, WORD = 8 };
#define POLYNOMIAL 0x82F63B78u /* of Castagnoli, bits reversed */

static uint32_t table[LANES][256];
static pthread_once_t table_once = PTHREAD_ONCE_INIT;

/* table[n][b] is what byte b does to the sum when n further bytes follow it. */
static void table_fill(void)
{
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t sum = byte;

        for (int bit = 0; bit < POLYNOMIAL_BITS; bit++)
            sum = (sum >> 1) ^ (sum & 1 ? POLYNOMIAL : 0);
        table[0][byte] = sum;
    }
    for (uint32_t byte = 0; byte < 256; byte++)
        for (int lane = 1; lane < LANES; lane++)
            table[lane][byte] = (table[lane - 1][byte] >> 8) ^ table[0][table[lane - 1][byte] & 0xFF];
}

uint32_t crc32c_by_table(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    pthread_once(&table_once, table_fill);
    sum = ~sum;
    for (; len >= WORD; p += WORD, len -= WORD) {
        uint64_t word = le64_get(p) ^ sum;

        sum = 0;
        for (int lane = LANES - 1; lane >= 0; lane--, word >>= 8)
            sum ^= table[lane][word & 0xFF];
    }
    while (len--)
        sum = (sum >> 8) ^ table[0][(sum ^ *p++) & 0xFF];
    return ~sum;
}

#if defined(__x86_64__)
#include <nmmintrin.h>

__attribute__((target("sse4.2"))) static uint32_t by_processor(uint32_t sum, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t wide = (uint32_t)~sum;

    for (; len >= WORD; p += WORD, len -= WORD)
        wide = _mm_crc32_u64(wide, le64_get(p));
    sum = (uint32_t)wide;
    while (len--)
        sum = _mm_crc32_u8(sum, *p++);
    return ~sum;
}

uint32_t crc32c(uint32_t sum, const void *bytes, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? by_processor(sum, bytes, len)
                                            : crc32c_by_table(sum, bytes, len);
}
#else
uint32_t crc32c(uint32_t sum, const void *bytes, size_t len)
{
    return crc32c_by_table(sum, bytes, len);
}
#endif
