/* SPDX-License-Identifier: BSD-2-Clause */
/* follower - see follower.h */

#include "delivery/follower.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/store_delivery.h"
#include "delivery/follow.h"
#include "delivery/source.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PART = 1024 * 1024, /* bytes of a log between two looks at the clock and the order to stop */
    SETTLE_MS = 3000,
    SETTLE_DEADLINE_MS = 30000,
    SPOOL_FULL_WAIT_MS = 1000,
    TEXT_MAX = 2048,
    PAYLOAD_MAX = 64 * 1024
};

struct follower {
    const struct conf *conf;
    struct recorder *recorder;
    struct follow *follow;
    struct source **log;
    size_t logs;
    struct db *db;
    struct buf payload;
    bool blocked;   /* the spool did not take a record: what was read since counts as not read */
    int64_t now_us; /* at the beginning of this part */
    int64_t settled_ms;
    uint64_t settlements;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
};

/* Within source_read(). */
static void spool_delivery(void *arg, const struct record_delivery *delivery)
{
    struct follower *follower = arg;

    if (follower->blocked)
        return;
    buf_reset(&follower->payload);
    record_delivery_encode(delivery, &follower->payload);
    if (recorder_write(follower->recorder, RECORD_DELIVERY, &follower->payload, false) != SPOOL_OK)
        follower->blocked = true;
}

static void take_line(void *arg, struct slice line)
{
    struct follower *follower = arg;

    follow_line(follower->follow, line, follower->now_us);
}

static bool is_stopping(struct follower *follower)
{
    bool stopping;

    pthread_mutex_lock(&follower->lock);
    stopping = follower->stopping;
    pthread_mutex_unlock(&follower->lock);
    return stopping;
}

static void sleep_ms(struct follower *follower, int64_t ms)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + ms);

    pthread_mutex_lock(&follower->lock);
    if (!follower->stopping)
        pthread_cond_timedwait(&follower->changed, &follower->lock, &until);
    pthread_mutex_unlock(&follower->lock);
}

/* logs */

/* Its bookmark lies beside the spool, for it says what that one has had. */
static struct source *open_log(const struct follower *follower, size_t at, struct buf *error)
{
    return source_open(follower->conf->delivery.log.item[at], follower->recorder->lane[0].directory, error);
}

static void report(const struct buf *error)
{
    static struct log_throttle trouble = {.every_seconds = 60};

    log_throttled(&trouble, LOG_ERR, "%s", error->len ? buf_text(error) : "out of memory");
}

/* All that was recorded is on the disk before the bookmark says so. */
static void keep_place(struct follower *follower, struct source *log)
{
    static struct log_throttle trouble = {.every_seconds = 60};
    struct spool *spool = follower->recorder->lane[follower->recorder->here].spool;

    if (spool_sync(spool, spool_end(spool)) != SPOOL_OK || !source_save(log))
        log_throttled(&trouble, LOG_ERR, "cannot note how far the log is read: %m; a part of it will be read again");
}

/* At the bookmark; NULL while that cannot be read. */
static void reopen(struct follower *follower, size_t at)
{
    struct buf error;

    buf_init(&error, TEXT_MAX);
    source_close(follower->log[at]);
    follower->log[at] = open_log(follower, at, &error);
    if (!follower->log[at])
        report(&error);
    buf_free(&error);
}

/* What was read and not recorded is read again from the bookmark. */
static void go_back(struct follower *follower, size_t at)
{
    static struct log_throttle trouble = {.every_seconds = 60};

    log_throttled(&trouble, LOG_ERR, "the spool takes no more records: the log is read on when it does");
    reopen(follower, at);
    follower->blocked = false;
    sleep_ms(follower, SPOOL_FULL_WAIT_MS);
}

/* True when there may be more at once. */
static bool read_part(struct follower *follower, size_t at)
{
    struct source *log = follower->log[at];
    struct buf error;
    int64_t got;

    if (!log) {
        reopen(follower, at);
        return false;
    }
    buf_init(&error, TEXT_MAX);
    follower->now_us = clock_wall_us();
    got = source_read(log, PART, take_line, follower, &error);
    if (got < 0)
        report(&error);
    buf_free(&error);
    if (follower->blocked)
        go_back(follower, at);
    else if (got != 0)
        keep_place(follower, log);
    return got >= PART;
}

static bool read_logs(struct follower *follower)
{
    bool more = false;

    for (size_t at = 0; at < follower->logs; at++)
        more |= read_part(follower, at);
    return more;
}

/* the database */

/* Mostly what has just come; now and then all that waits, for a mail's row may be late by days. */
static int settle_within_s(uint64_t turn)
{
    static const int day_s = 86400;

    if (turn % 400 == 0)
        return 40 * day_s;
    return turn % 20 == 0 ? 600 : 30;
}

static void settle(struct follower *follower)
{
    int64_t now_ms = clock_monotonic_ms();

    if (now_ms - follower->settled_ms < SETTLE_MS)
        return;
    follower->settled_ms = now_ms;
    if (store_connect(follower->db, SETTLE_MS))
        store_settle(follower->db, settle_within_s(follower->settlements++), SETTLE_DEADLINE_MS);
}

/* the thread */

static void *run(void *arg)
{
    struct follower *follower = arg;

    while (!is_stopping(follower)) {
        bool more = read_logs(follower);

        settle(follower);
        if (!more)
            sleep_ms(follower, follower->conf->delivery.poll_ms);
    }
    return NULL;
}

static void release(struct follower *follower)
{
    for (size_t at = 0; at < follower->logs; at++)
        source_close(follower->log[at]);
    free(follower->log);
    follow_free(follower->follow);
    db_free(follower->db);
    buf_free(&follower->payload);
    pthread_cond_destroy(&follower->changed);
    pthread_mutex_destroy(&follower->lock);
    free(follower);
}

static bool open_all(struct follower *follower, struct buf *error)
{
    const struct conf *conf = follower->conf;

    follower->log = calloc(conf->delivery.log.count, sizeof *follower->log);
    follower->follow = follow_new(conf->delivery.senders == SENDERS_LOCAL ? &conf->local_domains : NULL, spool_delivery, follower);
    follower->db = db_new_shard(shard_database(conf, (unsigned)conf->shard), (unsigned)conf->shard, "spoor-delivery");
    if (!follower->log || !follower->follow || !follower->db)
        return false;
    for (; follower->logs < conf->delivery.log.count; follower->logs++)
        if (!(follower->log[follower->logs] = open_log(follower, follower->logs, error)))
            return false;
    return true;
}

struct follower *follower_start(const struct conf *conf, struct recorder *recorder, struct buf *error)
{
    struct follower *follower = calloc(1, sizeof *follower);
    int failure;

    if (!follower)
        return NULL;
    follower->conf = conf;
    follower->recorder = recorder;
    pthread_mutex_init(&follower->lock, NULL);
    clock_condition_init(&follower->changed);
    buf_init(&follower->payload, PAYLOAD_MAX);
    if (open_all(follower, error)) {
        failure = pthread_create(&follower->thread, NULL, run, follower);
        if (failure == 0)
            return follower;
        buf_add_f(error, "cannot start the thread that follows the log: %s", strerrordesc_np(failure));
    }
    release(follower);
    return NULL;
}

void follower_stop(struct follower *follower)
{
    struct follow_counts counts;

    if (!follower)
        return;
    pthread_mutex_lock(&follower->lock);
    follower->stopping = true;
    pthread_cond_broadcast(&follower->changed);
    pthread_mutex_unlock(&follower->lock);
    db_end_by(follower->db, 0);
    pthread_join(follower->thread, NULL);
    read_logs(follower);
    counts = follow_counts(follower->follow);
    log_notice("lines=%" PRIu64 " recorded=%" PRIu64 " foreign=%" PRIu64 " other=%" PRIu64, counts.lines, counts.recorded,
               counts.foreign, counts.other);
    release(follower);
}
