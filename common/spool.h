/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool - the append-only local file in which a program keeps what it has acknowledged.
 *
 * One folder belongs to one process at a time (flock; a second one is refused). It holds an identity of
 * 128 random bits (see spool_folder.h) and segments named by the absolute position of their first byte, in
 * hexadecimal. A segment is made full-size with zeros, so that a full disk is met when it is made and not in
 * the middle of a record; their bytes are in spool_format.h.
 *
 * The CRC is seeded with the identity and the record's absolute position, so what an older life of the file
 * left behind is never taken for a record. A record does not cross segments. Its number is its absolute
 * position; numbers grow and are never used twice under one identity, and go on under the next one in the
 * same folder. A length of zero ends the written part of a segment. Any thread may append, sync and read.
 */
#ifndef COMMON_SPOOL_H
#define COMMON_SPOOL_H

#include "common/buf.h"
#include "common/spool_format.h"

#include <stdbool.h>
#include <stdint.h>

struct spool;

struct spool_options {
    const char *directory; /* made if it is not there; copied */
    int64_t segment_bytes; /* at least 4 KiB; a record must fit into one */
    int64_t max_bytes;     /* of all segments; released ones go early to keep below it, then SPOOL_FULL */
    int64_t keep_s;        /* released segments stay this long, for a database restored to an earlier time, unless
                              the disk is full */
    int64_t sync_ms; /* > 0: a thread syncs what was appended within this time; 0: only spool_sync() does */
};

/*
 * Opens, locks and recovers: a torn tail is cut, a bad record before the tail is skipped to the next segment
 * and said in WARNING, a line each. A folder that was copied or moved gets a new identity, also said; the old
 * records stay in it as inherited. It starts threads, so open after the daemon has forked. NULL with ERROR
 * naming the folder, and the process that has it if that is why.
 */
struct spool *spool_open(const struct spool_options *options, struct buf *warning, struct buf *error);

enum spool_result { SPOOL_OK, SPOOL_FULL /* at the cap, or the disk is */, SPOOL_FAILED };

/* Syncs first; errno tells why that failed, and *LOST, unless NULL, how many records are not on the disk. */
enum spool_result spool_close(struct spool *spool, size_t *lost);

/*
 * The record is in the kernel when this returns; *END is the position behind it. errno tells why it is not.
 * The payload is 1 to SPOOL_RECORD_MAX bytes.
 */
enum spool_result spool_append(struct spool *spool, uint8_t kind, uint8_t version, struct slice payload,
                               uint64_t *end);

/*
 * Returns once everything before END is on the disk. Threads that come while an fdatasync runs share the next
 * one. After a failed fdatasync the segment is abandoned and what was not synced is written anew, with new
 * numbers, into a fresh one, before this answers SPOOL_OK. When that fails too the records stay in memory and
 * go out once the disk is well again: until then appends fail.
 */
enum spool_result spool_sync(struct spool *spool, uint64_t end);

void spool_identity(struct spool *spool, uint8_t identity[SPOOL_IDENTITY_BYTES]);

/*
 * A new identity, when the database knows more of this spool than it holds, or another record than it holds:
 * somebody set the folder back. It begins at the position up to which this folder knows itself loaded (see
 * spool_loaded()), or the first one kept without that: records that the database has had already may come
 * twice, but none is left out. It knows nothing before spool_first().
 */
bool spool_renew(struct spool *spool, struct buf *error);

/*
 * Records of an older identity that a copied folder brought along: load them under that identity, from the
 * position that the database has for it, then settle. If the original lives on, its loader and this one carry
 * the same records over the same watermark, so each still arrives once. False: none (any more).
 */
struct spool_inherited {
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    uint64_t first;
    uint64_t end; /* behind the last of its records */
};
bool spool_inherited(struct spool *spool, struct spool_inherited *inherited);
bool spool_inherited_settle(struct spool *spool, struct buf *error);

/*
 * The N-th older identity of this folder, from 0; false when there are no more. When the database, set back, has less of it
 * than its END, which is 0 when nothing of it is kept, spool_inherit() makes its records inherited once more.
 */
bool spool_past(struct spool *spool, size_t n, struct spool_inherited *past);
bool spool_inherit(struct spool *spool, size_t n, struct buf *error);

/*
 * Reads what is on the disk, in order, from the first record at or after FROM (a record's number or the end
 * of one). A reader belongs to one thread; free it before the spool is closed.
 */
struct spool_reader;
struct spool_reader *spool_reader_new(struct spool *spool, uint64_t from);
/* The same for what spool_inherited() tells of; it ends at the end of that. */
struct spool_reader *spool_reader_new_inherited(struct spool *spool, uint64_t from);
void spool_reader_free(struct spool_reader *reader);

/* SKIPPED: bad bytes; the rest of their segment is passed over, and the next read goes on at the next one. */
enum spool_read { SPOOL_READ_RECORD, SPOOL_READ_END, SPOOL_READ_SKIPPED, SPOOL_READ_FAILED /* errno */ };
enum spool_read spool_reader_next(struct spool_reader *reader, struct spool_record *record);
/* Where it stands: behind the last record, or where it goes on after SKIPPED. */
uint64_t spool_reader_position(const struct spool_reader *reader);

uint64_t spool_first(struct spool *spool);   /* nothing of this identity is kept before it */
uint64_t spool_durable(struct spool *spool); /* everything before is on the disk */
uint64_t spool_end(struct spool *spool);     /* everything before is in the kernel */
/* Records of this identity before it are no longer kept; 0 when none has gone. */
uint64_t spool_gone(struct spool *spool);
/* Bytes of records behind POSITION. */
uint64_t spool_waiting(struct spool *spool, uint64_t position);
/* Waits until something behind POSITION is on the disk, TIMEOUT_MS passed, or spool_wake(); true when there
 * is something. */
bool spool_wait(struct spool *spool, uint64_t position, int timeout_ms);
void spool_wake(struct spool *spool);

/*
 * Everything before POSITION is in the database: its segments may be removed when keep_s has passed, or
 * recycled. It may go back when the database did.
 */
void spool_release(struct spool *spool, uint64_t position);

/*
 * What was appended until now stands in segments of its own from here on: END is where it ends. False when no new segment can
 * be begun.
 */
bool spool_part(struct spool *spool, uint64_t *end);
/* Everything before END, which spool_part() gave, is in the database and must not stay: true when its segments are gone. */
bool spool_erase(struct spool *spool, uint64_t end);

/* What was released last, in this run or, until something is, in one before; 0: not known. */
uint64_t spool_loaded(struct spool *spool);

bool spool_writable(struct spool *spool); /* the last append did not fail */

#endif
