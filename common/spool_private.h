/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_private - what the spool's own files share, and its tests see.
 *
 * One mutex guards all. Functions here want it held, and may let it go while they wait; so a caller looks
 * anew at what it knew. The folder's files change only under the mutex, but for an fdatasync of the current
 * segment (`syncing`) and the making of a spare (`preparing`), which nobody else touches meanwhile.
 */
#ifndef COMMON_SPOOL_PRIVATE_H
#define COMMON_SPOOL_PRIVATE_H

#include "common/clock.h"
#include "common/spool.h"
#include "common/spool_folder.h"
#include "common/spool_segment.h"

#include <pthread.h>

struct spool {
    struct spool_io io;
    struct spool_folder folder;
    uint64_t segment_bytes;
    uint64_t max_bytes;
    int64_t keep_s;
    int64_t sync_ms;

    pthread_mutex_t mutex;
    pthread_cond_t changed; /* syncing or preparing ended; durable grew; a mend was tried */
    pthread_cond_t news;    /* durable grew, or spool_wake() */
    pthread_cond_t work;    /* for the keeper */
    pthread_cond_t dirty;   /* for the syncer */
    pthread_t keeper;
    pthread_t syncer;
    bool keeping; /* the keeper runs */
    bool syncs;   /* the syncer runs */
    bool stop;

    struct spool_segment **segment; /* oldest first; the last is the current one */
    size_t segments;
    int current; /* its descriptor */
    uint64_t end;
    uint64_t durable;
    uint64_t released; /* everything before is in the database, as far as is known */
    int loaded;        /* the file that notes it; -1: none */

    char *pending; /* the records from DURABLE to END as written: a file that failed to sync cannot be asked
                      for them */
    size_t pending_len;
    size_t pending_size;

    bool syncing;
    bool preparing;
    bool spare;  /* there is a file ready to become a segment */
    bool broken; /* the current segment failed to sync and no other could be begun yet */
    int broken_errno;
    int64_t mended_ms; /* when that was last tried */
    bool unwritable;   /* the last append failed */
    unsigned wakes;
};

struct spool_segment *spool_current(const struct spool *spool);

/* Begins a new segment, PREVIOUS_END being where the current one's records end, with CONTENT at its start.
 * errno. */
bool spool_begin(struct spool *spool, uint64_t start, uint64_t previous_end, struct slice content);

/* Ends the current segment, all of it synced, unless NEED bytes fit into it; so SIZE_MAX always ends it.
 * errno. */
enum spool_result spool_turn(struct spool *spool, size_t need);
enum spool_result spool_sync_locked(struct spool *spool, uint64_t end);

/* Forgets the oldest segment and takes its file away, or makes it NAME when that is not NULL. */
void spool_drop_oldest(struct spool *spool, const char *name);
/* May the oldest segment go, as far as its records are concerned? */
bool spool_oldest_released(const struct spool *spool);
/* Segments may go as far as POSITION, and only these. */
void spool_mark_released(struct spool *spool, uint64_t position);

/* RELEASED is POSITION, and the folder knows; if it cannot be noted the folder knows an earlier one. */
void spool_note_loaded(struct spool *spool, uint64_t position);

bool spool_keeper_start(struct spool *spool); /* the syncer too, with sync_ms; both or none, and errno */
void spool_keeper_stop(struct spool *spool);  /* wants the mutex free */

#endif
