/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db - connections to PostgreSQL; the only user of libpq.
 *
 * Every call has a deadline in milliseconds and returns by then: the query is sent, waited for, and
 * cancelled when it is late. Only db_connect() may take longer, when the conninfo names a host that the resolver
 * has to be asked for; who must not wait borrows from a pool, whose own thread connects. A connection that fails is closed; db_connect() then refuses at once until its backoff
 * (0.1 s doubling to 10 s) has passed, so that nothing waits for a server that is away. A
 * struct db belongs to one thread at a time; a struct db_pool may be used by all and lends them.
 */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_pool;
struct db_result; /* opaque: a PGresult */

/* One row of a program's statement table: prepared by name on first use of a connection. */
struct db_statement {
    const char *name;
    const char *sql;
    int parameters;
};

/* CONNINFO and PROGRAM (application_name) are copied. No connection is made yet. */
struct db *db_new(const char *conninfo, const char *program);
void db_free(struct db *db);
bool db_connect(struct db *db, int deadline_ms); /* true at once when it stands */
bool db_stands(struct db *db); /* connected, as far as can be told without asking the server */
/* From any thread: the call under way, and all later ones, are late once WITHIN_MS has passed. For a program that ends. */
void db_end_by(struct db *db, int within_ms);
const char *db_error(const struct db *db);       /* why the last call failed; valid until the next */
const char *db_sqlstate(const struct db *db);    /* five characters; "" when the connection failed or it was late */

/* Text parameters; NULL is SQL NULL. NULL on failure. Free the result. */
struct db_result *db_ask(struct db *db, const struct db_statement *statement, const char *const *values, int deadline_ms);
/* Several statements without parameters or result, such as BEGIN or a migration. */
bool db_execute(struct db *db, const char *sql, int deadline_ms);
struct db_meanwhile { /* something to do while the server works */
    void (*call)(void *arg);
    void *arg;
};
/*
 * COPY: `sql` is COPY ... FROM STDIN (FORMAT binary); BYTES the whole stream with header and trailer. MEANWHILE, if not
 * NULL, is called once the server has all of it.
 */
bool db_copy(struct db *db, const char *sql, struct slice bytes, const struct db_meanwhile *meanwhile, int deadline_ms);

size_t db_rows(const struct db_result *result);
const char *db_value(const struct db_result *result, size_t row, int column); /* NULL for SQL NULL */
int64_t db_integer(const struct db_result *result, size_t row, int column); /* 0 for SQL NULL */
void db_result_free(struct db_result *result);

enum { CHANNEL_BYTES = 64 }; /* a PostgreSQL identifier and its NUL */
/* Waits up to TIMEOUT_MS for a notification on any channel listened to; CHANNEL gets its name. */
bool db_wait_notification(struct db *db, int timeout_ms, char channel[CHANNEL_BYTES]);

/* Keeps MOST connections standing, from a thread of its own: after daemon_start(). */
struct db_pool *db_pool_new(const char *conninfo, const char *program, size_t most);
void db_pool_free(struct db_pool *pool); /* all must have been given back */
void db_pool_await(struct db_pool *pool, int wait_ms); /* for its first connections, or that one fails */
/* One that stands; NULL, at once, when there is none: treat as away. */
struct db *db_pool_take(struct db_pool *pool);
/* The same, but waits for a lent one to come back. */
struct db *db_pool_wait(struct db_pool *pool, int wait_ms);
void db_pool_give(struct db_pool *pool, struct db *db);

#endif
