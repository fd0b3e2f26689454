/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/journal.h"

#include "common/clock.h"
#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A request target, a User-Agent and numbers, all of them cut before. */
enum { PAYLOAD_MAX = 8 * 1024, PAYLOAD_USUAL = 256 };

struct journal {
    struct recorder *recorder;
    bool sync_each;
    atomic_uint_fast64_t lost;
    atomic_int_fast64_t lost_us; /* when the last one was; 0: never */
    pthread_mutex_t raw_lock;    /* of the two below */
    int64_t raw_hour;
    size_t raw_bytes;
    struct log_throttle lost_throttle;
    struct log_throttle raw_throttle;
};

struct journal *journal_new(struct recorder *recorder, bool sync_each)
{
    struct journal *journal = calloc(1, sizeof *journal);

    if (journal == NULL)
        return NULL;
    journal->recorder = recorder;
    journal->sync_each = sync_each;
    journal->lost_throttle.every_seconds = 60;
    journal->raw_throttle.every_seconds = 60;
    pthread_mutex_init(&journal->raw_lock, NULL);
    return journal;
}

void journal_free(struct journal *journal)
{
    if (journal == NULL)
        return;
    pthread_mutex_destroy(&journal->raw_lock);
    free(journal);
}

static bool raw_allowed(struct journal *journal, const struct record_hit *hit, size_t bytes)
{
    int64_t hour = hit->time_us / 3600000000;
    bool allowed;

    if (hit->raw.len > JOURNAL_RAW_TARGET_MAX)
        return false;
    pthread_mutex_lock(&journal->raw_lock);
    if (journal->raw_hour != hour) {
        journal->raw_hour = hour;
        journal->raw_bytes = 0;
    }
    allowed = bytes <= JOURNAL_RAW_PER_HOUR - journal->raw_bytes;
    if (allowed)
        journal->raw_bytes += bytes;
    pthread_mutex_unlock(&journal->raw_lock);
    return allowed;
}

static void say_lost(struct journal *journal, const char *what, size_t count, int64_t time_us, enum spool_result result)
{
    atomic_fetch_add_explicit(&journal->lost, count, memory_order_relaxed);
    atomic_store_explicit(&journal->lost_us, time_us, memory_order_relaxed);
    if (result == SPOOL_FULL)
        log_throttled(&journal->lost_throttle, LOG_ERR, "%s but not recorded: the spool is full", what);
    else
        log_throttled(&journal->lost_throttle, LOG_ERR, "%s but not recorded: cannot write to the spool: %s", what,
                      strerrordesc_np(errno));
}

uint64_t journal_add(struct journal *journal, const struct record_hit *hit)
{
    enum spool_result result = SPOOL_OK;
    struct buf payload;
    uint64_t end = 0;

    buf_init(&payload, PAYLOAD_MAX);
    if (buf_reserve(&payload, PAYLOAD_USUAL))
        record_hit_encode(hit, &payload);
    if (hit->raw.len && !raw_allowed(journal, hit, payload.len))
        log_throttled(&journal->raw_throttle, LOG_WARNING,
                      "many requests, or long ones, name a key that is not in the key file; not all of them are kept");
    else
        result = recorder_append(journal->recorder, RECORD_HIT, &payload, &end);
    if (result != SPOOL_OK)
        say_lost(journal, "hit answered", 1, hit->time_us, result);
    buf_free(&payload);
    return journal->sync_each && result == SPOOL_OK ? end : 0;
}

uint64_t journal_add_record(struct journal *journal, uint8_t kind, const struct buf *payload, int64_t time_us)
{
    uint64_t end = 0;
    enum spool_result result = recorder_append(journal->recorder, kind, payload, &end);

    if (result != SPOOL_OK)
        say_lost(journal, "reading answered", 1, time_us, result);
    return journal->sync_each && result == SPOOL_OK ? end : 0;
}

void journal_sync(struct journal *journal, uint64_t end, size_t hits)
{
    enum spool_result result = recorder_sync(journal->recorder, end);

    if (result != SPOOL_OK)
        say_lost(journal, "hit answered", hits, clock_wall_us(), result);
}

bool journal_add_unsubscribe(struct journal *journal, const struct record_unsubscribe *unsubscribe)
{
    enum spool_result result;
    struct buf payload;

    buf_init(&payload, PAYLOAD_MAX);
    record_unsubscribe_encode(unsubscribe, &payload);
    result = recorder_write(journal->recorder, RECORD_UNSUBSCRIBE, &payload, journal->sync_each);
    if (result != SPOOL_OK)
        say_lost(journal, "unsubscribe asked for", 1, unsubscribe->time_us, result);
    buf_free(&payload);
    return result == SPOOL_OK;
}

struct journal_state journal_state(struct journal *journal, int64_t now_us)
{
    int64_t lost_us = atomic_load_explicit(&journal->lost_us, memory_order_relaxed);

    return (struct journal_state){
        .lost = atomic_load(&journal->lost),
        .writable = lost_us == 0 || now_us - lost_us > JOURNAL_RECENT_US,
    };
}
