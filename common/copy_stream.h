/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy_stream - the bytes of COPY ... FROM STDIN (FORMAT binary), as the manual of PostgreSQL describes them.
 *
 * Pure. A row is begun with the number of its columns, which then follow in the order that the COPY names. A failed
 * OUT stays failed: look once, at the end.
 */
#ifndef COMMON_COPY_STREAM_H
#define COMMON_COPY_STREAM_H

#include "common/buf.h"

#include <stdint.h>

void copy_begin(struct buf *out);
void copy_row(struct buf *out, int16_t columns);
void copy_char(struct buf *out, char letter); /* "char" */
void copy_int16(struct buf *out, int16_t value);
void copy_int32(struct buf *out, int32_t value);
void copy_int64(struct buf *out, int64_t value);
void copy_time(struct buf *out, int64_t time_us); /* timestamptz, from microseconds since 1970 UTC */
/* inet of one host, from 4 or 16 bytes in network order; any other number of bytes is null. */
void copy_address(struct buf *out, const uint8_t *bytes, size_t count);
void copy_bytes(struct buf *out, struct slice bytes); /* bytea */
void copy_end(struct buf *out);

#endif
