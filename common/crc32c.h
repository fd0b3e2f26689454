/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crc32c - the checksum of RFC 3720 appendix B.4 (Castagnoli), by the processor where it can.
 *
 * A sum is carried on by passing the last result as SUM; begin with 0. Pure; any thread.
 */
#ifndef COMMON_CRC32C_H
#define COMMON_CRC32C_H

#include <stddef.h>
#include <stdint.h>

uint32_t crc32c(uint32_t sum, const void *bytes, size_t len);

/* The same by table, on every processor. */
uint32_t crc32c_by_table(uint32_t sum, const void *bytes, size_t len);

#endif
