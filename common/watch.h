/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * watch - a thread with a connection of its own that has the database tell what changes there, so that no other waits for it.
 *
 * It connects, again whenever the connection breaks, and calls back, always from this one thread.
 */
#ifndef COMMON_WATCH_H
#define COMMON_WATCH_H

#include "common/db.h"

struct watch;

/* What each call gives: false when the database did not answer; the session then begins anew. */
struct watch_options {
    const char *conninfo;
    unsigned shard; /* which server that is */
    const char *program;
    const char *what; /* "cannot ask the database for WHAT: ..." is said then; borrowed */
    bool (*begin)(void *arg, struct db *db);   /* a session: LISTEN, then read all */
    bool (*changed)(void *arg, struct db *db); /* it was told of a change, or of several */
    bool (*turn)(void *arg, struct db *db);    /* every WATCH_TURN_MS; NULL: nothing */
    void *arg;
};
enum { WATCH_TURN_MS = 2000 };

struct watch *watch_start(const struct watch_options *options, struct buf *error);
void watch_stop(struct watch *watch); /* at once; NULL is fine */

#endif
