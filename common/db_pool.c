/* SPDX-License-Identifier: BSD-2-Clause */
/* db_pool - connections lent to threads; see db.h */

#include "common/db.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct db_pool {
    char *conninfo;
    char *program;
    pthread_mutex_t lock;
    size_t most;
    size_t made;       /* idle and lent together */
    size_t idle_count;
    struct db **idle;  /* room for `most`; the last given back is lent first, so few stay in use */
};

struct db_pool *db_pool_new(const char *conninfo, const char *program, size_t most)
{
    struct db_pool *pool = calloc(1, sizeof *pool);

    if (!pool)
        return NULL;
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
    pthread_mutex_destroy(&pool->lock);
    free(pool);
}

struct db *db_pool_take(struct db_pool *pool)
{
    struct db *db = NULL;

    pthread_mutex_lock(&pool->lock);
    if (pool->idle_count) {
        db = pool->idle[--pool->idle_count];
    } else if (pool->made < pool->most) {
        db = db_new(pool->conninfo, pool->program);
        if (db)
            pool->made++;
    }
    pthread_mutex_unlock(&pool->lock);
    return db;
}

void db_pool_give(struct db_pool *pool, struct db *db)
{
    if (!db)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = db;
    pthread_mutex_unlock(&pool->lock);
}
