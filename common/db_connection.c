/* SPDX-License-Identifier: BSD-2-Clause */
/* db_connection - see db.h: a connection from its beginning to its end, and why it failed. */

#include "common/db_private.h"

#include "common/clock.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ERROR_MAX = 4096,
    BACKOFF_FIRST_MS = 100,
    BACKOFF_LAST_MS = 10000,
    SLICE_MS = 200,   /* how often a wait looks whether it shall end early */
    LINE_WIDTH = 200, /* of a server's message as it is kept, per field */
};

/* life */

struct db *db_new_shard(const char *conninfo, unsigned shard, const char *program)
{
    struct db *db = calloc(1, sizeof *db);

    if (!db)
        return NULL;
    buf_init(&db->error, ERROR_MAX);
    atomic_init(&db->end_by_ms, INT64_MAX);
    db->shard = shard;
    db->conninfo = strdup(conninfo);
    db->program = strdup(program);
    if (!db->conninfo || !db->program) {
        db_free(db);
        return NULL;
    }
    return db;
}

struct db *db_new(const char *conninfo, const char *program)
{
    return db_new_shard(conninfo, 0, program);
}

unsigned db_shard(const struct db *db)
{
    return db->shard;
}

void db_close(struct db *db)
{
    PQfinish(db->connection);
    db->connection = NULL;
    db->prepared_count = 0;
}

void db_free(struct db *db)
{
    if (!db)
        return;
    db_close(db);
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

void db_set_error(struct db *db, const char *text)
{
    struct slice line = slice_trim(slice_str(text));

    clear_error(db);
    for (size_t at = 0; at < line.len; at++) {
        bool blank = ascii_is_space(line.p[at]);

        if (!blank || !ascii_is_space(line.p[at - 1]))
            buf_add_char(&db->error, blank ? ' ' : line.p[at]);
    }
}

bool db_lost(struct db *db, const char *why)
{
    db_set_error(db, why);
    db_close(db);
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

bool db_late(struct db *db, const char *doing)
{
    PGcancel *cancel = db->connection ? PQgetCancel(db->connection) : NULL;
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (cancel && pthread_create(&thread, &attributes, send_cancel, cancel))
        PQfreeCancel(cancel);
    pthread_attr_destroy(&attributes);
    return db_lost(db, doing);
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

void db_set_refusal(struct db *db, const PGresult *result, const char *sql)
{
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);

    db_set_error(db, message ? message : PQresultErrorMessage(result));
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

bool db_wait_socket(const struct db *db, short events, int64_t until_ms)
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
        return db_lost(db, PQerrorMessage(db->connection));
    while (state != PGRES_POLLING_OK) {
        short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (!db_wait_socket(db, events, until_ms))
            return db_lost(db, "the database did not take the connection in time");
        state = PQconnectPoll(db->connection);
        if (state == PGRES_POLLING_FAILED)
            return db_lost(db, PQerrorMessage(db->connection));
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
    db_close(db);
    db->connection = PQconnectStartParams(names, values, 1);
    if (!db->connection)
        return db_lost(db, "no memory for a connection to the database");
    if (!poll_connecting(db, start + deadline_ms))
        return false;
    PQsetNoticeReceiver(db->connection, ignore_notice, NULL);
    if (PQsetnonblocking(db->connection, 1))
        return db_lost(db, PQerrorMessage(db->connection));
    return true;
}

void db_refuse(struct db *db, const char *why)
{
    db_lost(db, why);
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

bool db_ready(struct db *db)
{
    if (db->connection && PQstatus(db->connection) == CONNECTION_OK) {
        clear_error(db);
        return true;
    }
    if (buf_text(&db->error)[0] == '\0')
        db_set_error(db, "there is no connection to the database");
    db->sqlstate[0] = '\0';
    return false;
}
