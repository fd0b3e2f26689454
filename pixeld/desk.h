/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * desk - work that has to ask PostgreSQL: a few threads of its own, each with a connection lent from a pool, and a
 * queue with a bound. Whoever adds work never waits for it.
 *
 * Any thread may call desk_add(). The work is done on a thread of the desk, in the order it came.
 */
#ifndef PIXELD_DESK_H
#define PIXELD_DESK_H

#include "common/db.h"

#include <stdbool.h>
#include <stddef.h>

struct desk;

struct desk_work {
    struct desk_work *next;
    /*
     * Called once. DB is NULL when the database is away or the desk closes: then without waiting for anything. WORK
     * is the caller's again from here on, and may be gone when this returns.
     */
    void (*perform)(struct desk_work *work, struct db *db);
};

struct desk_options {
    const char *conninfo;
    const char *program;
    unsigned threads;
    size_t places; /* work that may wait for a thread */
};

/* OPTIONS are copied. NULL with errno. After daemon_start(), for the pool has a thread. */
struct desk *desk_start(const struct desk_options *options);

/* What waits is performed without a database, what is under way is late at once; then desk_add() takes no more. */
void desk_stop(struct desk *desk); /* again is fine, and so is NULL */
void desk_free(struct desk *desk); /* stopped before; NULL is fine */

/* WORK stays the caller's memory and is lent until it is performed. False when all places are taken, or the desk closes. */
bool desk_add(struct desk *desk, struct desk_work *work);

#endif
