/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replication - do several servers tell each other what they should? For spoorctl check.
 */
#ifndef CTL_REPLICATION_H
#define CTL_REPLICATION_H

#include "common/db.h"

#include <stdbool.h>

/* Says one line, as check's own: GOOD or not, WHAT it is about, how it is, and what to do. Gives GOOD. */
typedef bool replication_sayer(bool good, const char *what, const char *state, const char *advice);

/*
 * Asks DB, the server of that number, how it tells others and follows them; what is not well gets a line each, all that is well one.
 * Takes a few seconds where that may change. Without other servers, or for who may not ask, nothing is said. False: something is not well.
 */
bool replication_check(struct db *db, unsigned shard, replication_sayer *say);

#endif
