/* SPDX-License-Identifier: BSD-2-Clause */
/* db_private - what the files of a connection share: its state, and how it fails. */
#ifndef COMMON_DB_PRIVATE_H
#define COMMON_DB_PRIVATE_H

#include "common/db.h"

#include <libpq-fe.h>
#include <stdatomic.h>

enum { STATEMENTS_MAX = 64 /* prepared on one connection; a program has about thirty */ };

struct db {
    char *conninfo;
    char *program;
    unsigned shard;
    PGconn *connection; /* NULL while there is none */
    const struct db_statement *prepared[STATEMENTS_MAX];
    size_t prepared_count;
    int64_t backoff_ms;
    int64_t not_before_ms; /* monotonic; no attempt to connect before it */
    _Atomic int64_t end_by_ms; /* monotonic; every call is late after it */
    char sqlstate[6];
    struct buf error;
};

/* True when it stands, and then without an error; else with one. */
bool db_ready(struct db *db);
/* Until EVENTS may be done without waiting. False when it is late, or there is nothing to wait for. */
bool db_wait_socket(const struct db *db, short events, int64_t until_ms);
void db_close(struct db *db);

/* The call failed, the connection may stand. On one line, with single blanks. */
void db_set_error(struct db *db, const char *text);
/* The same: the server refused SQL with RESULT, for whose words and place in SQL the error stands. */
void db_set_refusal(struct db *db, const PGresult *result, const char *sql);
/* The connection is of no more use: the next one waits for its backoff. False, to be returned. */
bool db_lost(struct db *db, const char *why);
/* The same, for the server did not do in time what it was asked: it is told to stop. */
bool db_late(struct db *db, const char *why);

#endif
