/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db - see db.h: what is asked over a connection; the connection itself is in db_connection.c.
 *
 * libpq is driven without blocking: what is to be sent is flushed and what is to come is read while poll()
 * watches the time. A call that is late ends its connection, for only so is it certain that nothing of
 * it arrives later; the server is told to stop by a thread of its own, because PQcancel() may block.
 */

#include "common/db_private.h"

#include "common/clock.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COPY_CHUNK = 64 * 1024,
    LOOK_MS = 200,  /* how often a wait for several looks whether it shall end early */
    REST_MS = 1000, /* for the end of an answer whose rows are there */
};

struct db_result {
    PGresult *rows;
};

static bool flush(struct db *db, int64_t until_ms)
{
    int rest;

    while ((rest = PQflush(db->connection)) == 1) {
        if (!db_wait_socket(db, POLLIN | POLLOUT, until_ms))
            return db_late(db, "the database does not take what is sent to it");
        if (!PQconsumeInput(db->connection))
            return db_lost(db, PQerrorMessage(db->connection));
    }
    return rest == 0 || db_lost(db, PQerrorMessage(db->connection));
}

/* False when the connection went or it is late. *RESULT is NULL behind the last one. */
static bool next_result(struct db *db, PGresult **result, int64_t until_ms)
{
    while (PQisBusy(db->connection)) {
        if (!db_wait_socket(db, POLLIN, until_ms))
            return db_late(db, "the database did not answer in time");
        if (!PQconsumeInput(db->connection))
            return db_lost(db, PQerrorMessage(db->connection));
    }
    *result = PQgetResult(db->connection);
    return true;
}

static bool is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

/* A statement whose plan the server threw away is prepared anew on a new connection. */
static bool is_stale(const char *sqlstate)
{
    return strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0;
}

/* Reads all results. The last good one goes to *KEEP where wanted; the first refusal is the error. */
static bool finish(struct db *db, const char *sql, PGresult **keep, int64_t until_ms)
{
    PGresult *result;
    PGresult *last = NULL;
    bool good = true;

    for (;;) {
        if (!next_result(db, &result, until_ms)) {
            PQclear(last);
            return false;
        }
        if (!result)
            break;
        if (good && !is_good(result)) {
            good = false;
            db_set_refusal(db, result, sql);
        }
        PQclear(last);
        last = result;
    }
    if (PQstatus(db->connection) == CONNECTION_BAD) {
        char *why = strdup(good ? PQerrorMessage(db->connection) : buf_text(&db->error));

        good = db_lost(db, why ? why : "");
        free(why);
    } else if (is_stale(db->sqlstate)) {
        db_close(db);
    }
    if (good)
        db->backoff_ms = 0;
    if (good && keep)
        *keep = last;
    else
        PQclear(last);
    return good;
}

/* asking */

static bool is_prepared(const struct db *db, const struct db_statement *statement)
{
    for (size_t at = 0; at < db->prepared_count; at++)
        if (db->prepared[at] == statement)
            return true;
    return false;
}

static bool prepare(struct db *db, const struct db_statement *statement, int64_t until_ms)
{
    if (is_prepared(db, statement))
        return true;
    if (db->prepared_count == STATEMENTS_MAX) {
        db_set_error(db, "too many prepared statements on one connection");
        return false;
    }
    if (!PQsendPrepare(db->connection, statement->name, statement->sql, statement->parameters, NULL))
        return db_lost(db, PQerrorMessage(db->connection));
    if (!flush(db, until_ms) || !finish(db, statement->sql, NULL, until_ms))
        return false;
    db->prepared[db->prepared_count++] = statement;
    return true;
}

/* SENT: the question is on its way. ANSWER is taken over. */
static struct db_result *collect(struct db *db, struct db_result *answer, bool sent, const char *sql, int64_t until_ms)
{
    if (!sent)
        db_lost(db, PQerrorMessage(db->connection));
    else if (flush(db, until_ms) && finish(db, sql, &answer->rows, until_ms))
        return answer;
    free(answer);
    return NULL;
}

static struct db_result *new_answer(struct db *db)
{
    struct db_result *answer = calloc(1, sizeof *answer);

    if (!answer)
        db_set_error(db, "no memory for an answer of the database");
    return answer;
}

struct db_result *db_ask(struct db *db, const struct db_statement *statement, const char *const *values,
                         int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    struct db_result *answer;

    if (!db_ready(db) || !prepare(db, statement, until_ms) || !(answer = new_answer(db)))
        return NULL;
    return collect(db, answer, PQsendQueryPrepared(db->connection, statement->name, statement->parameters, values, NULL, NULL, 0),
                   statement->sql, until_ms);
}

bool db_send(struct db *db, const struct db_statement *statement, const char *const *values)
{
    int parameters = statement->parameters;
    bool sent;

    if (!db_ready(db))
        return false;
    sent = is_prepared(db, statement)
               ? PQsendQueryPrepared(db->connection, statement->name, parameters, values, NULL, NULL, 0)
               : PQsendQueryParams(db->connection, statement->sql, parameters, NULL, values, NULL, NULL, 0);
    return sent ? flush(db, clock_monotonic_ms()) : db_lost(db, PQerrorMessage(db->connection));
}

/* Or it never will. */
static bool has_answered(struct db *db)
{
    return !db->connection || !PQconsumeInput(db->connection) || !PQisBusy(db->connection);
}

/* How many are still waited for; the descriptors of these. */
static nfds_t list_waiting(struct db *const *asked, size_t count, struct pollfd *waiting, bool *any, int64_t *until_ms)
{
    nfds_t left = 0;

    for (size_t n = 0; n < count; n++) {
        if (!asked[n])
            continue;
        if (has_answered(asked[n])) {
            *any = true;
        } else {
            int64_t end_by_ms = atomic_load(&asked[n]->end_by_ms);

            waiting[left++] = (struct pollfd){.fd = PQsocket(asked[n]->connection), .events = POLLIN};
            *until_ms = end_by_ms < *until_ms ? end_by_ms : *until_ms;
        }
    }
    return left;
}

void db_await(struct db *const *asked, size_t count, int deadline_ms, int grace_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    struct pollfd waiting[DB_AWAIT_MOST];
    bool any = false, before;
    nfds_t left;
    int wait_ms;

    do {
        before = any;
        left = list_waiting(asked, count, waiting, &any, &until_ms);
        if (any && !before && until_ms > clock_monotonic_ms() + grace_ms)
            until_ms = clock_monotonic_ms() + grace_ms;
        wait_ms = clock_left_ms(until_ms);
        if (left)
            poll(waiting, left, wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
    } while (left && wait_ms);
}

struct db_result *db_receive(struct db *db, const struct db_statement *statement)
{
    bool answered = db->connection && has_answered(db);
    struct db_result *answer = db->connection ? new_answer(db) : NULL;

    if (answer)
        return collect(db, answer, true, statement->sql, clock_monotonic_ms() + (answered ? REST_MS : 0));
    if (db->connection)
        db_lost(db, "no memory for an answer of the database");
    return NULL;
}

struct db_result *db_read(struct db *db, const char *sql, int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    struct db_result *answer;

    if (!db_ready(db) || !(answer = new_answer(db)))
        return NULL;
    return collect(db, answer, PQsendQuery(db->connection, sql), sql, until_ms);
}

bool db_execute(struct db *db, const char *sql, int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;

    if (!db_ready(db))
        return false;
    if (!PQsendQuery(db->connection, sql))
        return db_lost(db, PQerrorMessage(db->connection));
    return flush(db, until_ms) && finish(db, sql, NULL, until_ms);
}

static bool put_all(struct db *db, struct slice bytes, int64_t until_ms)
{
    while (bytes.len) {
        int chunk = bytes.len < COPY_CHUNK ? (int)bytes.len : COPY_CHUNK;
        int taken = PQputCopyData(db->connection, bytes.p, chunk);

        if (taken < 0)
            return db_lost(db, PQerrorMessage(db->connection));
        if (taken)
            bytes = slice_from(bytes, (size_t)chunk);
        else if (!flush(db, until_ms))
            return false;
    }
    return true;
}

bool db_copy(struct db *db, const char *sql, struct slice bytes, const struct db_meanwhile *meanwhile, int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    PGresult *result;
    bool taking;

    if (!db_ready(db))
        return false;
    if (!PQsendQuery(db->connection, sql))
        return db_lost(db, PQerrorMessage(db->connection));
    if (!flush(db, until_ms) || !next_result(db, &result, until_ms))
        return false;
    taking = PQresultStatus(result) == PGRES_COPY_IN;
    if (!taking)
        db_set_refusal(db, result, sql);
    PQclear(result);
    if (!taking)
        return finish(db, sql, NULL, until_ms) && false;
    if (!put_all(db, bytes, until_ms))
        return false;
    if (PQputCopyEnd(db->connection, NULL) < 0)
        return db_lost(db, PQerrorMessage(db->connection));
    if (!flush(db, until_ms))
        return false;
    if (meanwhile)
        meanwhile->call(meanwhile->arg);
    return finish(db, sql, NULL, until_ms);
}

/* results */

size_t db_rows(const struct db_result *result)
{
    return (size_t)PQntuples(result->rows);
}

const char *db_value(const struct db_result *result, size_t row, int column)
{
    return PQgetisnull(result->rows, (int)row, column) ? NULL : PQgetvalue(result->rows, (int)row, column);
}

int64_t db_integer(const struct db_result *result, size_t row, int column)
{
    const char *value = db_value(result, row, column);

    return value ? strtoll(value, NULL, 10) : 0;
}

void db_result_free(struct db_result *result)
{
    if (!result)
        return;
    PQclear(result->rows);
    free(result);
}

bool db_wait_notification(struct db *db, int timeout_ms, char channel[CHANNEL_BYTES])
{
    int64_t until_ms = clock_monotonic_ms() + timeout_ms;
    PGnotify *notification;

    if (!db_ready(db))
        return false;
    while (!(notification = PQnotifies(db->connection))) {
        if (!db_wait_socket(db, POLLIN, until_ms))
            return false;
        if (!PQconsumeInput(db->connection))
            return db_lost(db, PQerrorMessage(db->connection));
    }
    snprintf(channel, CHANNEL_BYTES, "%s", notification->relname);
    PQfreemem(notification);
    return true;
}
