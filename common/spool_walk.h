/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_walk - looks into a spool folder from outside: nothing is locked or changed, so a daemon may be at work in it.
 *
 * What is written or deleted meanwhile is seen as it was before or as it is after. Positions are those of spool.h.
 */
#ifndef COMMON_SPOOL_WALK_H
#define COMMON_SPOOL_WALK_H

#include "common/buf.h"
#include "common/spool_segment.h"

struct spool_walk {
    int directory; /* owned */
    uint64_t *start; /* of each segment, oldest first; owned */
    size_t segments;
};

/* False with ERROR. Close it. */
bool spool_walk_open(struct spool_walk *walk, const char *path, struct buf *error);
void spool_walk_close(struct spool_walk *walk);

/* How far the folder notes itself loaded, for the identity of its newest segment; 0: not known. */
uint64_t spool_walk_loaded(const struct spool_walk *walk);

struct spool_walk_waiting {
    uint64_t bytes;
    int64_t oldest_us; /* since 1970; 0: nothing waits, or nothing that tells its time */
};
/* The good records from position LOADED on. */
struct spool_walk_waiting spool_walk_waiting(const struct spool_walk *walk, uint64_t loaded);
/* No further than the first segment that has any: whether there are some, and since when, is soon known. */
struct spool_walk_waiting spool_walk_first_waiting(const struct spool_walk *walk, uint64_t loaded);

/* For which server the spool in that folder is, by its name, see recorder.h. */
unsigned spool_walk_shard(const char *path);

enum spool_walk_end {
    SPOOL_WALK_GOOD,
    SPOOL_WALK_GONE,   /* deleted meanwhile: it was loaded */
    SPOOL_WALK_TORN,   /* the newest ends in a record that was never completed; the next start cuts it */
    SPOOL_WALK_BAD,    /* bad bytes; the rest of the segment was not looked at */
    SPOOL_WALK_FAILED, /* errno */
};

struct spool_walk_report {
    enum spool_walk_end end;
    struct spool_segment segment; /* `end`: behind the last good record */
    size_t records;
    bool headless; /* SPOOL_WALK_BAD: already the header is */
};

/* Goes through segment N and gives each good record to SEE, which may be NULL. */
void spool_walk_segment(const struct spool_walk *walk, size_t n,
                        void (*see)(void *arg, const struct spool_record *record), void *arg,
                        struct spool_walk_report *report);

/* Calls LOOK with each folder in ABOVE that is a spool's, in order, and behind it with those of its shards. False when one
 * call said so, or, with ERROR, when ABOVE cannot be read. */
bool spool_walk_folders(const char *above, bool (*look)(void *arg, const char *path), void *arg, struct buf *error);

#endif
