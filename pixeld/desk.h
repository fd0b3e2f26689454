/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desk - work that has to ask PostgreSQL: a few threads of its own, each with a connection lent from the pool of the server
 * that has the mail, and a queue with a bound. Whoever adds work never waits for it.
 *
 * Any thread may call desk_add(). The work is done on a thread of the desk, in the order it came.
 */
#ifndef PIXELD_DESK_H
#define PIXELD_DESK_H

#include "common/shard_pools.h"

#include <stdbool.h>
#include <stddef.h>

struct desk;

struct desk_work {
    struct desk_work *next;
    uint64_t message; /* of ours, which it is about; 0: what the first server has */
    /*
     * Called once. DB is NULL when the database is away or the desk closes: then without waiting for anything. WORK
     * is the caller's again from here on, and may be gone when this returns.
     */
    void (*perform)(struct desk_work *work, struct db *db);
};

struct desk_options {
    const struct conf *conf; /* tells the servers; not needed later */
    const char *program;
    db_connector *connect;
    unsigned threads;
    size_t places; /* work that may wait for a thread */
};

/* OPTIONS are copied. NULL with errno. After daemon_start(), for the pool has a thread. */
struct desk *desk_start(const struct desk_options *options);

/* Whom work may ask besides; as long as the desk. */
const struct shard_pools *desk_pools(const struct desk *desk);

/* What waits is performed without a database, what is under way is late at once; then desk_add() takes no more. */
void desk_stop(struct desk *desk); /* again is fine, and so is NULL */
void desk_free(struct desk *desk); /* stopped before; NULL is fine */

/* WORK stays the caller's memory and is lent until it is performed. False when all places are taken, or the desk closes. */
bool desk_add(struct desk *desk, struct desk_work *work);

#endif
