/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shard_pools - a pool of connections to each server, and which one is asked about a mail.
 *
 * Read-only once open, so any thread may ask; each pool is used as db_pool.h says.
 */
#ifndef COMMON_SHARD_POOLS_H
#define COMMON_SHARD_POOLS_H

#include "common/db_pool.h"
#include "common/shard.h"

_Static_assert((int)SHARDS <= (int)DB_AWAIT_MOST, "all servers can be asked at once");

struct shard_pools {
    struct db_pool *pool[SHARDS]; /* NULL: spoor.conf does not name it */
};

/* A pool of MOST connections to each server, as db_pool_new(). False without memory; close it all the same. */
bool shard_pools_open(struct shard_pools *pools, const struct conf *conf, const char *program, size_t most,
                      db_connector *connect);
void shard_pools_close(struct shard_pools *pools);

static inline struct db_pool *shard_pools_first(const struct shard_pools *pools)
{
    return pools->pool[0];
}

static inline bool shard_pools_are_several(const struct shard_pools *pools)
{
    for (unsigned shard = 1; shard < SHARDS; shard++)
        if (pools->pool[shard])
            return true;
    return false;
}

/* Of the server that has the mail. One that spoor.conf does not name is left to the first. */
static inline struct db_pool *shard_pools_of(const struct shard_pools *pools, uint64_t message)
{
    struct db_pool *pool = pools->pool[shard_of(message)];

    return pool ? pool : pools->pool[0];
}

/*
 * A connection to each server, from number FROM on, by UNTIL_MS (CLOCK_MONOTONIC); NULL where there is none. False: one that
 * spoor.conf names is away. Give them back all the same.
 */
bool shard_pools_take(const struct shard_pools *pools, unsigned from, struct db *db[SHARDS], int64_t until_ms);
void shard_pools_give(const struct shard_pools *pools, struct db *const db[SHARDS]);

/* Is the mail on the first server? */
static inline bool shard_pools_is_first(const struct shard_pools *pools, uint64_t message)
{
    return shard_pools_of(pools, message) == pools->pool[0];
}

#endif
