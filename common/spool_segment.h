/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_segment - one file of a spool: its header, its records' seals, what recovery finds. For the spool
 * alone, and for spoorctl, which looks at it from outside.
 *
 * Positions are absolute, as everywhere in the spool. Functions return errors in errno; none locks.
 */
#ifndef COMMON_SPOOL_SEGMENT_H
#define COMMON_SPOOL_SEGMENT_H

#include "common/slice.h"
#include "common/spool_format.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SPOOL_ALIGN = 8, SPOOL_RECORD_HEADER = 16, SPOOL_NAME_MAX = 32 };
#define SPOOL_SUFFIX        ".segment"
#define SPOOL_SPARE         "spare"
#define SPOOL_SPARE_UNREADY "spare.new"
#define SPOOL_RECYCLED      "recycled"

struct spool_io { /* the two calls that meet a failing disk; tests put failing ones here */
    ssize_t (*pwrite)(int file, const void *bytes, size_t len, off_t at);
    int (*fdatasync)(int file);
};

struct spool_segment {
    uint64_t start;        /* of the header */
    uint64_t size;         /* of the file */
    uint64_t end;          /* behind the last record */
    uint64_t previous_end; /* as the header says: where the records of the segment before end */
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    uint32_t seal;      /* checksum of the identity, with which each record's begins */
    int64_t released_s; /* when its last record was released, by the wall clock; 0: not yet */
    int64_t written_s;  /* of one found at the start: when it was last written; else 0 */
    unsigned readers;   /* that have it open: it must stay as it is */
};

/* Records, one behind the other, in so many bytes. */
size_t spool_records_count(const uint8_t *bytes, size_t len);

void spool_segment_name(uint64_t start, char name[SPOOL_NAME_MAX]);
/* Fills START, SIZE, END (= behind the header) and the seal. */
void spool_segment_init(struct spool_segment *segment, uint64_t start, uint64_t size,
                        const uint8_t identity[SPOOL_IDENTITY_BYTES]);

/* Makes the spare file: SIZE zeros on the disk, from the file NAME if that is not NULL. GENTLY: a millisecond of pause
 * after each quarter of a megabyte, so that whoever shares the core does not wait for all of it. */
bool spool_segment_spare(const struct spool_io *io, int directory, const char *name, uint64_t size, bool gently);
/* Makes SEGMENT out of the spare, with CONTENT already in it when not empty, all on the disk. Its descriptor,
 * or -1 with the spare gone. */
int spool_segment_begin(const struct spool_io *io, int directory, const struct spool_segment *segment,
                        struct slice content);

/* False when FILE's header does not say that it begins at START (errno 0, size set) or cannot be read. */
bool spool_segment_read_header(int file, uint64_t start, struct spool_segment *segment);

/* Bytes that a record with this much payload takes. */
size_t spool_record_size(size_t payload);
/* Writes header, payload and padding to AT. */
void spool_record_build(uint8_t *at, const struct spool_segment *segment, uint64_t position, uint8_t kind,
                        uint8_t version, struct slice payload);
/* Seals a record again, for another position or segment; gives its size. */
size_t spool_record_reseal(uint8_t *at, const struct spool_segment *segment, uint64_t position);

struct spool_window { /* a part of a segment in memory */
    int file;
    uint8_t *bytes; /* owned */
    uint64_t from;  /* absolute */
    size_t len;
    uint64_t summed; /* bytes of records checked so far */
};
bool spool_window_init(struct spool_window *window, int file);
void spool_window_free(struct spool_window *window);
void spool_window_turn(struct spool_window *window, int file); /* to another file, or -1 */

enum spool_find { SPOOL_FOUND, SPOOL_FIND_END, SPOOL_FIND_BAD, SPOOL_FIND_FAILED };
/* The record at POSITION, which must end by LIMIT. RECORD's payload is valid until the window moves. */
enum spool_find spool_record_find(struct spool_window *window, const struct spool_segment *segment,
                                  uint64_t position, uint64_t limit, struct spool_record *record);

/* Finds where the records of the newest segment end: segment->end. */
struct spool_recovery {
    bool torn;    /* something is behind that */
    bool severed; /* good records are, or so much that looks like records that not all was tried */
};
bool spool_segment_recover(int file, struct spool_segment *segment, struct spool_recovery *recovery);
/* Zeros from END to the end of the file. */
bool spool_segment_cut(const struct spool_io *io, int file, const struct spool_segment *segment);

#endif
