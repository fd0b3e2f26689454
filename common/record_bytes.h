/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_bytes - numbers and texts of a record's payload. For the files of record alone.
 *
 * In the layouts that stand at each encoder uN is a little-endian number of N bits, iN a signed one, text a u16 length
 * and that many bytes. A decoder takes what it knows and leaves what a newer version added at the end.
 */
#ifndef COMMON_RECORD_BYTES_H
#define COMMON_RECORD_BYTES_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

void put_u8(struct buf *out, unsigned value);
void put_u16(struct buf *out, uint16_t value);
void put_u32(struct buf *out, uint32_t value);
void put_u64(struct buf *out, uint64_t value);
void put_text(struct buf *out, struct slice text); /* OUT fails when it is too long for its length */
/* False when OUT has failed; what stands from START on is taken back then, for the caller may add to it. */
bool put_done(struct buf *out, size_t start);

struct record_input { /* past the end all numbers are 0, and `bad` is set */
    struct slice rest;
    bool bad;
};

uint8_t take_u8(struct record_input *in);
uint16_t take_u16(struct record_input *in);
uint32_t take_u32(struct record_input *in);
uint64_t take_u64(struct record_input *in);
struct slice take_text(struct record_input *in);
void take_bytes(struct record_input *in, void *to, size_t len);
/* A u8 that is an enumeration's; one beyond FIRST to LAST cannot be put into words later, so it is bad. */
unsigned take_word(struct record_input *in, unsigned first, unsigned last);
/* A u32 that says how many entries of at least ENTRY_MIN bytes follow; one that the rest cannot hold is bad. */
size_t take_count(struct record_input *in, size_t entry_min);

#endif
