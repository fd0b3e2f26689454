/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/desk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* Who asks while the daemon starts waits so long for the first connections. */
enum { FIRST_MS = 1000 };

struct desk_thread {
    struct desk *desk;
    pthread_t thread;
    struct db *db; /* lent while work is performed; for desk_stop() */
};

struct desk {
    pthread_mutex_t lock; /* of what stands below, up to the blank line, and of each thread's `db` */
    pthread_cond_t changed;
    struct desk_work *first;
    struct desk_work **end; /* where the next worker is put */
    size_t waiting;
    bool stopping;

    size_t places;
    struct shard_pools pools;
    unsigned threads; /* that run */
    struct desk_thread worker[];
};

/* NULL at the end. */
static struct desk_work *take(struct desk *desk)
{
    struct desk_work *work;

    pthread_mutex_lock(&desk->lock);
    while (!desk->stopping && !desk->first)
        pthread_cond_wait(&desk->changed, &desk->lock);
    work = desk->first;
    if (work) {
        desk->first = work->next;
        desk->waiting--;
    }
    if (!desk->first)
        desk->end = &desk->first;
    pthread_mutex_unlock(&desk->lock);
    return work;
}

/* False when the desk closes: then the work must do without. */
static bool show_lent(struct desk_thread *worker, struct db *db)
{
    bool stopping;

    pthread_mutex_lock(&worker->desk->lock);
    stopping = worker->desk->stopping;
    worker->db = stopping ? NULL : db;
    pthread_mutex_unlock(&worker->desk->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct desk_thread *worker = arg;
    struct desk *desk = worker->desk;
    struct desk_work *work;

    while ((work = take(desk)) != NULL) {
        struct db_pool *pool = shard_pools_of(&desk->pools, work->message);
        struct db *db;

        db_pool_await(pool, FIRST_MS);
        db = db_pool_take(pool);
        work->perform(work, db && show_lent(worker, db) ? db : NULL);
        if (db)
            show_lent(worker, NULL);
        db_pool_give(pool, db);
    }
    return NULL;
}

static bool start_threads(struct desk *desk, unsigned threads)
{
    while (desk->threads < threads) {
        struct desk_thread *worker = &desk->worker[desk->threads];

        worker->desk = desk;
        errno = pthread_create(&worker->thread, NULL, run, worker);
        if (errno)
            return false;
        desk->threads++;
    }
    return true;
}

struct desk *desk_start(const struct desk_options *options)
{
    struct desk *desk = calloc(1, sizeof *desk + options->threads * sizeof *desk->worker);

    if (!desk)
        return NULL;
    pthread_mutex_init(&desk->lock, NULL);
    pthread_cond_init(&desk->changed, NULL);
    desk->end = &desk->first;
    desk->places = options->places;
    if (shard_pools_open(&desk->pools, options->conf, options->program, options->threads, options->connect) &&
        start_threads(desk, options->threads))
        return desk;
    desk_stop(desk);
    desk_free(desk);
    return NULL;
}

const struct shard_pools *desk_pools(const struct desk *desk)
{
    return &desk->pools;
}

void desk_stop(struct desk *desk)
{
    unsigned threads;

    if (!desk)
        return;
    pthread_mutex_lock(&desk->lock);
    desk->stopping = true;
    for (unsigned n = 0; n < desk->threads; n++)
        if (desk->worker[n].db)
            db_end_by(desk->worker[n].db, 0);
    pthread_cond_broadcast(&desk->changed);
    threads = desk->threads;
    desk->threads = 0;
    pthread_mutex_unlock(&desk->lock);
    for (unsigned n = 0; n < threads; n++)
        pthread_join(desk->worker[n].thread, NULL);
}

void desk_free(struct desk *desk)
{
    if (!desk)
        return;
    shard_pools_close(&desk->pools);
    pthread_cond_destroy(&desk->changed);
    pthread_mutex_destroy(&desk->lock);
    free(desk);
}

bool desk_add(struct desk *desk, struct desk_work *work)
{
    bool taken;

    work->next = NULL;
    pthread_mutex_lock(&desk->lock);
    taken = !desk->stopping && desk->waiting < desk->places;
    if (taken) {
        *desk->end = work;
        desk->end = &work->next;
        desk->waiting++;
        pthread_cond_signal(&desk->changed);
    }
    pthread_mutex_unlock(&desk->lock);
    return taken;
}
