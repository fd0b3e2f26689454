/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * db - see db.h
 *
 * libpq is driven without blocking: what is to be sent is flushed and what is to come is read while poll()
 * watches the time. A call that is late ends its connection, for only so is it certain that nothing of
 * it arrives later; the server is told to stop by a thread of its own, because PQcancel() may block.
 */

#include "common/db.h"

#include "common/clock.h"

#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ERROR_MAX = 4096,
    STATEMENTS_MAX = 64,     /* prepared on one connection; a program has about thirty */
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 10000,
    COPY_CHUNK = 64 * 1024,
    SLICE_MS = 200,          /* how often a wait looks whether it shall end early */
    LINE_WIDTH = 200,        /* of a server's message as it is kept, per field */
};

struct db {
    char *conninfo;
    char *program;
    PGconn *connection; /* NULL while there is none */
    const struct db_statement *prepared[STATEMENTS_MAX];
    size_t prepared_count;
    int64_t backoff_ms;
    int64_t not_before_ms; /* monotonic; no attempt to connect before it */
    _Atomic int64_t end_by_ms; /* monotonic; every call is late after it */
    char sqlstate[6];
    struct buf error;
};

struct db_result {
    PGresult *rows;
};

/* life */

struct db *db_new(const char *conninfo, const char *program)
{
    struct db *db = calloc(1, sizeof *db);

    if (!db)
        return NULL;
    buf_init(&db->error, ERROR_MAX);
    atomic_init(&db->end_by_ms, INT64_MAX);
    db->conninfo = strdup(conninfo);
    db->program = strdup(program);
    if (!db->conninfo || !db->program) {
        db_free(db);
        return NULL;
    }
    return db;
}

static void close_connection(struct db *db)
{
    PQfinish(db->connection);
    db->connection = NULL;
    db->prepared_count = 0;
}

void db_free(struct db *db)
{
    if (!db)
        return;
    close_connection(db);
    buf_free(&db->error);
    free(db->conninfo);
    free(db->program);
    free(db);
}

/* errors */

const char *db_error(const struct db *db)
{
    return buf_text(&db->error);
}

const char *db_sqlstate(const struct db *db)
{
    return db->sqlstate;
}

static void clear_error(struct db *db)
{
    buf_reset(&db->error);
    db->sqlstate[0] = '\0';
}

static void set_error(struct db *db, const char *text)
{
    struct slice line = slice_trim(slice_str(text));

    clear_error(db);
    for (size_t at = 0; at < line.len; at++)
        buf_add_char(&db->error, line.p[at] == '\n' ? ' ' : line.p[at]);
}

/* The connection is of no more use: the next one waits for its backoff. */
static bool lost(struct db *db, const char *why)
{
    set_error(db, why);
    close_connection(db);
    db->backoff_ms = db->backoff_ms ? db->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (db->backoff_ms > BACKOFF_LAST_MS)
        db->backoff_ms = BACKOFF_LAST_MS;
    db->not_before_ms = clock_monotonic_ms() + db->backoff_ms;
    return false;
}

static void *send_cancel(void *arg)
{
    PGcancel *cancel = arg;
    char why[256];

    PQcancel(cancel, why, sizeof why);
    PQfreeCancel(cancel);
    return NULL;
}

static bool late(struct db *db, const char *doing)
{
    PGcancel *cancel = db->connection ? PQgetCancel(db->connection) : NULL;
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (cancel && pthread_create(&thread, &attributes, send_cancel, cancel))
        PQfreeCancel(cancel);
    pthread_attr_destroy(&attributes);
    return lost(db, doing);
}

static int line_of(const char *sql, const char *position)
{
    long characters = position ? strtol(position, NULL, 10) : 0;
    int line = 1;

    for (; *sql && characters > 1; sql++) {
        if (*sql == '\n')
            line++;
        if (((unsigned char)*sql & 0xC0) != 0x80) /* positions count characters, not bytes */
            characters--;
    }
    return line;
}

/* The server refused the statement; the connection may stand or have gone with it. */
static void refused(struct db *db, const PGresult *result, const char *sql)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    set_error(db, message ? message : PQresultErrorMessage(result));
    if (detail)
        buf_add_f(&db->error, " (%.*s)", LINE_WIDTH, detail);
    if (position && strchr(sql, '\n'))
        buf_add_f(&db->error, ", line %d", line_of(sql, position));
    if (state)
        memcpy(db->sqlstate, state, sizeof db->sqlstate - 1);
}

/* waiting */

void db_end_by(struct db *db, int within_ms)
{
    atomic_store(&db->end_by_ms, clock_monotonic_ms() + within_ms);
}

/* False when it is late, or there is nothing to wait for. */
static bool wait_socket(const struct db *db, short events, int64_t until_ms)
{
    struct pollfd descriptor = {.fd = PQsocket(db->connection), .events = events};

    if (descriptor.fd < 0)
        return false;
    for (;;) {
        int64_t end_by_ms = atomic_load(&db->end_by_ms);
        int64_t left = (until_ms < end_by_ms ? until_ms : end_by_ms) - clock_monotonic_ms();

        if (poll(&descriptor, 1, left < 0 ? 0 : left < SLICE_MS ? (int)left : SLICE_MS) > 0)
            return true;
        if (left <= 0)
            return false;
    }
}

static bool flush(struct db *db, int64_t until_ms)
{
    int rest;

    while ((rest = PQflush(db->connection)) == 1) {
        if (!wait_socket(db, POLLIN | POLLOUT, until_ms))
            return late(db, "the database does not take what is sent to it");
        if (!PQconsumeInput(db->connection))
            return lost(db, PQerrorMessage(db->connection));
    }
    return rest == 0 || lost(db, PQerrorMessage(db->connection));
}

/* False when the connection went or it is late. *RESULT is NULL behind the last one. */
static bool next_result(struct db *db, PGresult **result, int64_t until_ms)
{
    while (PQisBusy(db->connection)) {
        if (!wait_socket(db, POLLIN, until_ms))
            return late(db, "the database did not answer in time");
        if (!PQconsumeInput(db->connection))
            return lost(db, PQerrorMessage(db->connection));
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
            refused(db, result, sql);
        }
        PQclear(last);
        last = result;
    }
    if (PQstatus(db->connection) == CONNECTION_BAD) {
        char *why = strdup(good ? PQerrorMessage(db->connection) : buf_text(&db->error));

        good = lost(db, why ? why : "");
        free(why);
    } else if (is_stale(db->sqlstate)) {
        close_connection(db);
    }
    if (good)
        db->backoff_ms = 0;
    if (good && keep)
        *keep = last;
    else
        PQclear(last);
    return good;
}

/* connecting */

static void ignore_notice(void *arg, const PGresult *result)
{
    (void)arg;
    (void)result;
}

static bool poll_connecting(struct db *db, int64_t until_ms)
{
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;

    if (PQstatus(db->connection) == CONNECTION_BAD)
        return lost(db, PQerrorMessage(db->connection));
    while (state != PGRES_POLLING_OK) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (!wait_socket(db, events, until_ms))
            return lost(db, "the database did not take the connection in time");
        state = PQconnectPoll(db->connection);
        if (state == PGRES_POLLING_FAILED)
            return lost(db, PQerrorMessage(db->connection));
    }
    return true;
}

bool db_connect(struct db *db, int deadline_ms)
{
    /* What stands before dbname are defaults, which the conninfo may change: a dead host is noticed in a minute. */
    const char *const names[] = {"keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
                                 "dbname", "application_name", "client_encoding", NULL};
    const char *const values[] = {"30", "10", "3", "60000", db->conninfo, db->program, "UTF8", NULL};
    int64_t start = clock_monotonic_ms();

    if (db->connection && PQstatus(db->connection) == CONNECTION_OK)
        return true;
    if (start < db->not_before_ms)
        return false; /* the error of the failed attempt stays the reason */
    clear_error(db);
    close_connection(db);
    db->connection = PQconnectStartParams(names, values, 1);
    if (!db->connection)
        return lost(db, "no memory for a connection to the database");
    if (!poll_connecting(db, start + deadline_ms))
        return false;
    PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
    if (PQsetnonblocking(db->connection, 1))
        return lost(db, PQerrorMessage(db->connection));
    return true;
}

/* Nothing is due on an idle connection but its end, or a notice of the server. */
bool db_stands(struct db *db)
{
    struct pollfd descriptor = {.events = POLLIN};

    if (!db->connection || PQstatus(db->connection) != CONNECTION_OK)
        return false;
    descriptor.fd = PQsocket(db->connection);
    while (poll(&descriptor, 1, 0) > 0)
        if (!PQconsumeInput(db->connection))
            return false;
    return true;
}

static bool ready(struct db *db)
{
    if (db->connection && PQstatus(db->connection) == CONNECTION_OK) {
        clear_error(db);
        return true;
    }
    if (buf_text(&db->error)[0] == '\0')
        set_error(db, "there is no connection to the database");
    db->sqlstate[0] = '\0';
    return false;
}

/* asking */

static bool prepare(struct db *db, const struct db_statement *statement, int64_t until_ms)
{
    for (size_t at = 0; at < db->prepared_count; at++)
        if (db->prepared[at] == statement)
            return true;
    if (db->prepared_count == STATEMENTS_MAX) {
        set_error(db, "too many prepared statements on one connection");
        return false;
    }
    if (!PQsendPrepare(db->connection, statement->name, statement->sql, statement->parameters, NULL))
        return lost(db, PQerrorMessage(db->connection));
    if (!flush(db, until_ms) || !finish(db, statement->sql, NULL, until_ms))
        return false;
    db->prepared[db->prepared_count++] = statement;
    return true;
}

struct db_result *db_ask(struct db *db, const struct db_statement *statement, const char *const *values,
                         int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;
    struct db_result *answer;

    if (!ready(db) || !prepare(db, statement, until_ms))
        return NULL;
    answer = calloc(1, sizeof *answer);
    if (!answer) {
        set_error(db, "no memory for an answer of the database");
        return NULL;
    }
    if (!PQsendQueryPrepared(db->connection, statement->name, statement->parameters, values, NULL, NULL, 0)) {
        lost(db, PQerrorMessage(db->connection));
    } else if (flush(db, until_ms) && finish(db, statement->sql, &answer->rows, until_ms)) {
        return answer;
    }
    free(answer);
    return NULL;
}

bool db_execute(struct db *db, const char *sql, int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;

    if (!ready(db))
        return false;
    if (!PQsendQuery(db->connection, sql))
        return lost(db, PQerrorMessage(db->connection));
    return flush(db, until_ms) && finish(db, sql, NULL, until_ms);
}

static bool put_all(struct db *db, struct slice bytes, int64_t until_ms)
{
    while (bytes.len) {
        int chunk = bytes.len < COPY_CHUNK ? (int)bytes.len : COPY_CHUNK;
        int taken = PQputCopyData(db->connection, bytes.p, chunk);

        if (taken < 0)
            return lost(db, PQerrorMessage(db->connection));
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

    if (!ready(db))
        return false;
    if (!PQsendQuery(db->connection, sql))
        return lost(db, PQerrorMessage(db->connection));
    if (!flush(db, until_ms) || !next_result(db, &result, until_ms))
        return false;
    taking = PQresultStatus(result) == PGRES_COPY_IN;
    if (!taking)
        refused(db, result, sql);
    PQclear(result);
    if (!taking)
        return finish(db, sql, NULL, until_ms) && false;
    if (!put_all(db, bytes, until_ms))
        return false;
    if (PQputCopyEnd(db->connection, NULL) < 0)
        return lost(db, PQerrorMessage(db->connection));
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

    if (!ready(db))
        return false;
    while (!(notification = PQnotifies(db->connection))) {
        if (!wait_socket(db, POLLIN, until_ms))
            return false;
        if (!PQconsumeInput(db->connection))
            return lost(db, PQerrorMessage(db->connection));
    }
    snprintf(channel, CHANNEL_BYTES, "%s", notification->relname);
    PQfreemem(notification);
    return true;
}
