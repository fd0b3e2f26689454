/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db_pool - connections kept standing and lent to threads.
 *
 * A thread of its own makes the connections, because looking up a host's name may take longer than any deadline. Whoever
 * borrows gets one that stands, or none at once. From any thread; what was lent belongs to the borrower until it is given back.
 */
#ifndef COMMON_DB_POOL_H
#define COMMON_DB_POOL_H

#include "common/db.h"

#include <stdbool.h>
#include <stddef.h>

struct db_pool;

/* Keeps MOST connections standing, from a thread of its own: after daemon_start(). */
typedef bool db_connector(struct db *db, int deadline_ms); /* db_connect, or what asks more of a connection */
struct db_pool *db_pool_new(const char *conninfo, unsigned shard, const char *program, size_t most, db_connector *connect);
void db_pool_free(struct db_pool *pool); /* all must have been given back */
void db_pool_await(struct db_pool *pool, int wait_ms); /* for its first connections, or that one fails */
/* One that stands; NULL, at once, when there is none: treat as away. */
struct db *db_pool_take(struct db_pool *pool);
/* The same, but waits for a lent one to come back. */
struct db *db_pool_wait(struct db_pool *pool, int wait_ms);
void db_pool_give(struct db_pool *pool, struct db *db);

#endif
