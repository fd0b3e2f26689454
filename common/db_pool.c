/* SPDX-License-Identifier: BSD-2-Clause */
/* db_pool - connections lent to threads; see db.h */

#include "common/db.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECOND_MS = 1000, MILLISECOND_NS = 1000000, SECOND_NS = 1000000000 };

struct db_pool {
    char *conninfo;
    char *program;
    pthread_mutex_t lock;
    pthread_cond_t given; /* CLOCK_MONOTONIC */
    size_t most;
    size_t made;       /* idle and lent together */
    size_t idle_count;
    struct db **idle;  /* room for `most`; the last given back is lent first, so few stay in use */
};

struct db_pool *db_pool_new(const char *conninfo, const char *program, size_t most)
{
    struct db_pool *pool = calloc(1, sizeof *pool);
    pthread_condattr_t clock;

    if (!pool)
        return NULL;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->given, &clock);
    pthread_condattr_destroy(&clock);
    pthread_mutex_init(&pool->lock, NULL);
    pool->most = most;
    pool->conninfo = strdup(conninfo);
    pool->program = strdup(program);
    pool->idle = calloc(most, sizeof *pool->idle);
    if (!pool->conninfo || !pool->program || !pool->idle) {
        db_pool_free(pool);
        return NULL;
    }
    return pool;
}

void db_pool_free(struct db_pool *pool)
{
    if (!pool)
        return;
    while (pool->idle_count)
        db_free(pool->idle[--pool->idle_count]);
    free(pool->idle);
    free(pool->conninfo);
    free(pool->program);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* With the lock held. */
static struct db *take(struct db_pool *pool)
{
    struct db *db = NULL;

    if (pool->idle_count) {
        db = pool->idle[--pool->idle_count];
    } else if (pool->made < pool->most) {
        db = db_new(pool->conninfo, pool->program);
        if (db)
            pool->made++;
    }
    return db;
}

struct db *db_pool_take(struct db_pool *pool)
{
    return db_pool_wait(pool, 0);
}

struct db *db_pool_wait(struct db_pool *pool, int wait_ms)
{
    struct timespec until;
    struct db *db;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / SECOND_MS;
    until.tv_nsec += (long)(wait_ms % SECOND_MS) * MILLISECOND_NS;
    if (until.tv_nsec >= SECOND_NS) {
        until.tv_nsec -= SECOND_NS;
        until.tv_sec++;
    }
    pthread_mutex_lock(&pool->lock);
    while (!(db = take(pool)) && !late)
        late = wait_ms > 0 ? pthread_cond_timedwait(&pool->given, &pool->lock, &until) : ETIMEDOUT;
    pthread_mutex_unlock(&pool->lock);
    return db;
}

void db_pool_give(struct db_pool *pool, struct db *db)
{
    if (!db)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = db;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->lock);
}
