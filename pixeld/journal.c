/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/journal.h"

#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* A request target, a User-Agent and numbers; the HTTP library has no room for longer ones. */
enum { PAYLOAD_MAX = 32 * 1024, PAYLOAD_USUAL = 256 };

struct journal {
    struct recorder *recorder;
    bool sync_each;
    atomic_uint_fast64_t recorded;
    atomic_uint_fast64_t lost;
    atomic_uint_fast64_t left_out;
    atomic_int_fast64_t lost_us; /* when the last one was; 0: never */
    pthread_mutex_t raw_lock;    /* of the two below */
    int64_t raw_second;
    unsigned raw_count;
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

static bool raw_allowed(struct journal *journal, int64_t time_us)
{
    int64_t second = time_us / 1000000;
    bool allowed;

    pthread_mutex_lock(&journal->raw_lock);
    if (journal->raw_second != second) {
        journal->raw_second = second;
        journal->raw_count = 0;
    }
    allowed = journal->raw_count < JOURNAL_RAW_PER_SECOND;
    journal->raw_count += allowed;
    pthread_mutex_unlock(&journal->raw_lock);
    return allowed;
}

static enum spool_result write_hit(struct journal *journal, const struct record_hit *hit)
{
    enum spool_result result;
    struct buf payload;

    buf_init(&payload, PAYLOAD_MAX);
    if (buf_reserve(&payload, PAYLOAD_USUAL))
        record_hit_encode(hit, &payload);
    result = recorder_write(journal->recorder, RECORD_HIT, &payload, journal->sync_each);
    buf_free(&payload);
    return result;
}

void journal_add(struct journal *journal, const struct record_hit *hit)
{
    enum spool_result result;

    if (hit->raw.len && !raw_allowed(journal, hit->time_us)) {
        atomic_fetch_add_explicit(&journal->left_out, 1, memory_order_relaxed);
        log_throttled(&journal->raw_throttle, LOG_WARNING,
                      "many requests name a key that is not in the key file; not all of them are kept");
        return;
    }
    result = write_hit(journal, hit);
    if (result == SPOOL_OK) {
        atomic_fetch_add_explicit(&journal->recorded, 1, memory_order_relaxed);
        return;
    }
    atomic_fetch_add_explicit(&journal->lost, 1, memory_order_relaxed);
    atomic_store_explicit(&journal->lost_us, hit->time_us, memory_order_relaxed);
    if (result == SPOOL_FULL)
        log_throttled(&journal->lost_throttle, LOG_ERR, "hit answered but not recorded: the spool is full");
    else
        log_throttled(&journal->lost_throttle, LOG_ERR,
                      "hit answered but not recorded: cannot write to the spool: %s", strerrordesc_np(errno));
}

struct journal_state journal_state(struct journal *journal, int64_t now_us)
{
    int64_t lost_us = atomic_load_explicit(&journal->lost_us, memory_order_relaxed);

    return (struct journal_state){
        .recorded = atomic_load(&journal->recorded),
        .lost = atomic_load(&journal->lost),
        .left_out = atomic_load(&journal->left_out),
        .writable = lost_us == 0 || now_us - lost_us > JOURNAL_RECENT_US,
    };
}
