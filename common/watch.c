/* SPDX-License-Identifier: BSD-2-Clause */
/* watch - see watch.h */

#include "common/watch.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, AWAY_REMINDER_S = 300 };

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t woken;
    bool stopping;
    struct watch_options options;
    struct db *db;
    struct log_throttle trouble;
};

static bool is_stopping(struct watch *watch)
{
    bool stopping;

    pthread_mutex_lock(&watch->lock);
    stopping = watch->stopping;
    pthread_mutex_unlock(&watch->lock);
    return stopping;
}

static void rest(struct watch *watch)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + WATCH_TURN_MS);

    pthread_mutex_lock(&watch->lock);
    while (!watch->stopping && pthread_cond_timedwait(&watch->woken, &watch->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&watch->lock);
}

static bool begin_session(struct watch *watch)
{
    return store_connect(watch->db, CONNECT_MS) && watch->options.begin(watch->options.arg, watch->db);
}

/* One turn: what is due, then a wait for changes that is no longer than a turn. */
static bool go_on(struct watch *watch)
{
    const struct watch_options *options = &watch->options;
    char channel[CHANNEL_BYTES];

    if (options->turn && !options->turn(options->arg, watch->db))
        return false;
    if (!db_wait_notification(watch->db, WATCH_TURN_MS, channel))
        return true;
    while (db_wait_notification(watch->db, 0, channel))
        ;
    return options->changed(options->arg, watch->db);
}

static void *run(void *arg)
{
    struct watch *watch = arg;
    bool in_session = false;

    while (!is_stopping(watch)) {
        bool ok = in_session ? go_on(watch) : begin_session(watch);

        in_session = ok && db_stands(watch->db);
        if (ok || is_stopping(watch))
            continue;
        log_throttled(&watch->trouble, LOG_WARNING, "cannot ask the database for %s: %s", watch->options.what,
                      db_error(watch->db));
        rest(watch);
    }
    return NULL;
}

static void watch_free(struct watch *watch)
{
    db_free(watch->db);
    pthread_cond_destroy(&watch->woken);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

static struct watch *watch_new(const struct watch_options *options)
{
    struct watch *watch = calloc(1, sizeof *watch);

    if (!watch)
        return NULL;
    pthread_mutex_init(&watch->lock, NULL);
    clock_condition_init(&watch->woken);
    watch->trouble.every_seconds = AWAY_REMINDER_S;
    watch->options = *options;
    watch->db = db_new_shard(options->conninfo, options->shard, options->program);
    if (watch->db)
        return watch;
    watch_free(watch);
    return NULL;
}

struct watch *watch_start(const struct watch_options *options, struct buf *error)
{
    struct watch *watch = watch_new(options);
    int failure;

    if (!watch) {
        buf_add_str(error, "no memory for the thread that asks the database");
        return NULL;
    }
    failure = pthread_create(&watch->thread, NULL, run, watch);
    if (failure == 0)
        return watch;
    buf_add_f(error, "cannot start the thread that asks the database: %s", strerrordesc_np(failure));
    watch_free(watch);
    return NULL;
}

void watch_stop(struct watch *watch)
{
    if (!watch)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_broadcast(&watch->woken);
    pthread_mutex_unlock(&watch->lock);
    db_end_by(watch->db, 0);
    pthread_join(watch->thread, NULL);
    watch_free(watch);
}
