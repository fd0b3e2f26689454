/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db - a connection to PostgreSQL; with the other db_* files the only user of libpq.
 *
 * Every call has a deadline in milliseconds and returns by then: the query is sent, waited for, and cancelled when it is
 * late. Only db_connect() may take longer, when the conninfo names a host that the resolver has to be asked for; who must
 * not wait borrows from a pool (db_pool.h), whose own thread connects. A connection that fails is closed; db_connect() then
 * refuses at once until its backoff (0.1 s doubling to 10 s) has passed, so that nothing waits for a server that is away.
 * A struct db belongs to one thread at a time.
 */
#ifndef COMMON_DB_H
#define COMMON_DB_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_result; /* opaque: a PGresult */

/* One row of a program's statement table: prepared by name on first use of a connection. */
struct db_statement {
    const char *name;
    const char *sql;
    int parameters;
};

/* CONNINFO and PROGRAM (application_name) are copied. No connection is made yet. */
struct db *db_new(const char *conninfo, const char *program);
/* The same, for one of several servers: noted for who makes sure of it, as store_connect() does. db_new() notes the first, 0. */
struct db *db_new_shard(const char *conninfo, unsigned shard, const char *program);
unsigned db_shard(const struct db *db);
void db_free(struct db *db);
bool db_connect(struct db *db, int deadline_ms); /* true at once when it stands */
/* Closes it for WHY, as if it had failed: nothing shall be asked over it. */
void db_refuse(struct db *db, const char *why);
bool db_stands(struct db *db); /* connected, as far as can be told without asking the server */
/* From any thread: the call under way, and all later ones, are late once WITHIN_MS has passed. For a program that ends. */
void db_end_by(struct db *db, int within_ms);
const char *db_error(const struct db *db);       /* why the last call failed; valid until the next */
const char *db_sqlstate(const struct db *db);    /* five characters; "" when the connection failed or it was late */

/* Text parameters; NULL is SQL NULL. NULL on failure. Free the result. */
struct db_result *db_ask(struct db *db, const struct db_statement *statement, const char *const *values, int deadline_ms);
/*
 * The same question to several servers at once: db_send() to each, which waits for none and prepares nothing, then db_await() for all, then
 * db_receive() from each that it was sent to: what has answered by then, and NULL, at once, of one that has not, whose connection is closed.
 */
bool db_send(struct db *db, const struct db_statement *statement, const char *const *values);
/* NULL in ASKED is passed over; DB_AWAIT_MOST at most. Not longer than GRACE_MS after the first has answered, nor than DEADLINE_MS. */
enum { DB_AWAIT_MOST = 8 };
void db_await(struct db *const *asked, size_t count, int deadline_ms, int grace_ms);
struct db_result *db_receive(struct db *db, const struct db_statement *statement);
/* Several statements without parameters or result, such as BEGIN or a migration. */
bool db_execute(struct db *db, const char *sql, int deadline_ms);
/* One such statement that gives rows, for a text that no table of statements has. */
struct db_result *db_read(struct db *db, const char *sql, int deadline_ms);
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

#endif
