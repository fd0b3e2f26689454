/* SPDX-License-Identifier: BSD-2-Clause */
/* db_pool - see db_pool.h */

#include "common/db_pool.h"

#include "common/clock.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECT_MS = 5000,
    LOOK_MS = 100,  /* between attempts to make those stand that do not; each also has its own backoff */
    LEAVE_MS = 1000 /* how long a pool that ends waits for an attempt under way */
};

struct db_pool {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool left;    /* nobody waits any more for the thread, which then frees the pool */
    bool running;
    bool begun; /* all have stood, or an attempt failed */
    size_t lent_count;
    size_t standing_count;
    size_t broken_count;
    db_connector *connect;
    struct db **standing; /* room for all; the last given back is lent first, so few stay in use */
    struct db **broken;   /* room for all; what the thread is to connect */
};

static void pool_release(struct db_pool *pool)
{
    while (pool->standing_count)
        db_free(pool->standing[--pool->standing_count]);
    while (pool->broken_count)
        db_free(pool->broken[--pool->broken_count]);
    free(pool->standing);
    free(pool->broken);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

/* The lock is held. */
static void wait_for(struct db_pool *pool, int milliseconds)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + milliseconds);

    pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
}

/* Tries the one that waits longest; the lock is let go meanwhile. */
static void connect_one(struct db_pool *pool)
{
    struct db *db = pool->broken[0];
    bool stands;

    memmove(pool->broken, pool->broken + 1, --pool->broken_count * sizeof *pool->broken);
    pthread_mutex_unlock(&pool->lock);
    stands = pool->connect(db, CONNECT_MS);
    pthread_mutex_lock(&pool->lock);
    if (!stands || pool->broken_count == 0) {
        pool->begun = true;
        pthread_cond_broadcast(&pool->changed);
    }
    if (stands) {
        pool->standing[pool->standing_count++] = db;
        return;
    }
    pool->broken[pool->broken_count++] = db;
    if (!pool->stopping)
        wait_for(pool, LOOK_MS);
}

static void *run(void *arg)
{
    struct db_pool *pool = arg;
    bool left;

    pthread_mutex_lock(&pool->lock);
    while (!pool->stopping) {
        if (pool->broken_count)
            connect_one(pool);
        else
            pthread_cond_wait(&pool->changed, &pool->lock);
    }
    pool->running = false;
    left = pool->left;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    if (left)
        pool_release(pool);
    return NULL;
}

static bool fill(struct db_pool *pool, const char *conninfo, unsigned shard, const char *program, size_t most)
{
    pool->standing = calloc(most, sizeof(struct db *));
    pool->broken = calloc(most, sizeof(struct db *));
    if (!pool->standing || !pool->broken)
        return false;
    while (pool->broken_count < most) {
        struct db *db = db_new_shard(conninfo, shard, program);

        if (!db)
            return false;
        pool->broken[pool->broken_count++] = db;
    }
    return true;
}

static bool start(struct db_pool *pool)
{
    pthread_attr_t attributes;
    pthread_t thread;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pool->running = pthread_create(&thread, &attributes, run, pool) == 0;
    pthread_attr_destroy(&attributes);
    return pool->running;
}

struct db_pool *db_pool_new(const char *conninfo, unsigned shard, const char *program, size_t most, db_connector *connect)
{
    struct db_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
    pool->connect = connect;
    pthread_mutex_init(&pool->lock, NULL);
    clock_condition_init(&pool->changed);
    if (fill(pool, conninfo, shard, program, most) && start(pool))
        return pool;
    pool_release(pool);
    return NULL;
}

void db_pool_free(struct db_pool *pool)
{
    int64_t until_ms = clock_monotonic_ms() + LEAVE_MS;
    bool running;

    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->changed);
    while (pool->running && clock_monotonic_ms() < until_ms)
        wait_for(pool, (int)(until_ms - clock_monotonic_ms()));
    running = pool->left = pool->running;
    pthread_mutex_unlock(&pool->lock);
    if (!running)
        pool_release(pool);
}

/* The lock is held. One that stood when it was given back may have gone since. */
static struct db *take(struct db_pool *pool)
{
    while (pool->standing_count) {
        struct db *db = pool->standing[--pool->standing_count];

        if (db_stands(db)) {
            pool->lent_count++;
            return db;
        }
        pool->broken[pool->broken_count++] = db;
        pthread_cond_broadcast(&pool->changed);
    }
    return NULL;
}

void db_pool_await(struct db_pool *pool, int wait_ms)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + wait_ms);

    pthread_mutex_lock(&pool->lock);
    while (!pool->begun && pthread_cond_timedwait(&pool->changed, &pool->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&pool->lock);
}

struct db *db_pool_take(struct db_pool *pool)
{
    return db_pool_wait(pool, 0);
}

struct db *db_pool_wait(struct db_pool *pool, int wait_ms)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + wait_ms);
    int late = wait_ms <= 0;
    struct db *db;

    pthread_mutex_lock(&pool->lock);
    while (!(db = take(pool)) && pool->lent_count && !late)
        late = pthread_cond_timedwait(&pool->changed, &pool->lock, &until);
    pthread_mutex_unlock(&pool->lock);
    return db;
}

void db_pool_give(struct db_pool *pool, struct db *db)
{
    if (!db)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->lent_count--;
    if (db_stands(db))
        pool->standing[pool->standing_count++] = db;
    else
        pool->broken[pool->broken_count++] = db;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}
