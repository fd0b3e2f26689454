/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - hits on their way into the spool; what could not be written is counted and said.
 *
 * A hit that cannot be recorded is still answered: nobody's mail shows a broken picture because a disk
 * is full. Any thread may call. The spool stays the caller's and must live longer.
 */
#ifndef PIXELD_JOURNAL_H
#define PIXELD_JOURNAL_H

#include "common/recorder.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Hits under an unknown key cannot be checked, so anybody can make them: they get this much of the spool in an hour,
 * and a target longer than this is not kept; one that was cut could never be checked.
 */
enum { JOURNAL_RAW_PER_HOUR = 1024 * 1024, JOURNAL_RAW_TARGET_MAX = 2048, JOURNAL_RECENT_US = 60 * 1000 * 1000 };

struct journal;

/* SYNC_EACH: who adds a hit waits for the disk, too. NULL without memory. */
struct journal *journal_new(struct recorder *recorder, bool sync_each);
void journal_free(struct journal *journal);

/*
 * The hit is in the kernel when this returns. Gives what journal_sync() has to be asked for before it is answered, or 0
 * when it may be answered at once. Logs a failure, at most once a minute.
 */
uint64_t journal_add(struct journal *journal, const struct record_hit *hit);

/* The same for another record, encoded, which happened at TIME_US. */
uint64_t journal_add_record(struct journal *journal, uint8_t kind, const struct buf *payload, int64_t time_us);

/* Returns when everything up to END is on the disk; a failure counts for so many HITS. */
void journal_sync(struct journal *journal, uint64_t end, size_t hits);

/*
 * Somebody waits to hear that it was done: false when it was not recorded. With SYNC_EACH it is on the disk when this
 * returns. Logs a failure like journal_add().
 */
bool journal_add_unsubscribe(struct journal *journal, const struct record_unsubscribe *unsubscribe);

struct journal_state {
    uint64_t lost; /* could not be written */
    bool writable; /* none was lost in the last minute */
};
/*
 * Times are microseconds since 1970. `writable` comes back by itself: who stops sending hits here because
 * of it would otherwise never learn that there is room again.
 */
struct journal_state journal_state(struct journal *journal, int64_t now_us);

#endif
