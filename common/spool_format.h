/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_format - the bytes of a spool's files, and a record as it is read from them. Numbers are little-endian.
 *
 * Segment header, 64 bytes:
 *     "SPOORSEG", u32 format version 1, u32 CRC-32C of the rest of the header, 16 bytes identity,
 *     u64 absolute position of the segment's first byte,
 *     u64 where the records of the segment before it end (what is behind that there was given up), zeros
 * Record:
 *     u32 payload length, u32 CRC-32C, u8 kind, u8 version of the payload, u16 zero, u32 zero, payload,
 *     zeros to the next multiple of 8
 */
#ifndef COMMON_SPOOL_FORMAT_H
#define COMMON_SPOOL_FORMAT_H

#include "common/slice.h"

#include <stdint.h>

enum { SPOOL_IDENTITY_BYTES = 16, SPOOL_HEADER_BYTES = 64, SPOOL_RECORD_MAX = 1024 * 1024 };

struct spool_record {
    uint64_t position; /* its number */
    uint64_t end;      /* position of what follows */
    uint32_t checksum;
    uint8_t kind;
    uint8_t version;
    struct slice payload; /* valid until the next read with the same reader */
};

#endif
