/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader_forget - what a loader does when somebody is forgotten: it learns who, and has the spool forget. For loader.c alone.
 *
 * What stands in the spool about them is not loaded; the segments that held it go as soon as all else of them is loaded, and
 * then the database is told. Times are milliseconds.
 */
#ifndef COMMON_LOADER_FORGET_H
#define COMMON_LOADER_FORGET_H

#include "common/spool.h"
#include "common/store.h"

struct loader_forget {
    unsigned shard;   /* of which server; all but the first have only a copy of the list */
    int64_t number;   /* of the last whom this process knows */
    bool due;         /* the spool is to forget */
    bool parted;      /* what it is to forget ends at UNTIL */
    uint64_t until;
};

/* At the begin of a session: learns who is forgotten. AWAY: the database did not answer. NO: WHY says why the list is no use. */
enum store_answer loader_forget_learn(struct loader_forget *forget, struct db *db, struct buf *why, int deadline_ms);
/* The session's spool is known: has it still to forget? AWAY as above. */
enum store_answer loader_forget_begin(struct loader_forget *forget, struct db *db, int32_t spool, int deadline_ms);
/* Once all before LOADED is in the database. AWAY as above. */
enum store_answer loader_forget_go_on(struct loader_forget *forget, struct db *db, struct spool *spool, int32_t number,
                                      uint64_t loaded, int deadline_ms);
/* Was the session told that there is somebody new, or another epoch? Does not wait. */
bool loader_forget_is_news(struct db *db);

/* What is left of a record that may be about somebody who is forgotten; in SCRATCH when that is not the record itself. */
void loader_forget_record(struct spool_record *record, struct buf *scratch);

#endif
