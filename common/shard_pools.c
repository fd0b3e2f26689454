/* SPDX-License-Identifier: BSD-2-Clause */
/* shard_pools - see shard_pools.h */

#include "common/shard_pools.h"

#include "common/clock.h"

bool shard_pools_open(struct shard_pools *pools, const struct conf *conf, const char *program, size_t most,
                      db_connector *connect)
{
    *pools = (struct shard_pools){.pool = {NULL}};
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const char *conninfo = shard_database(conf, shard);

        if (conninfo && !(pools->pool[shard] = db_pool_new(conninfo, shard, program, most, connect)))
            return false;
    }
    return true;
}

void shard_pools_close(struct shard_pools *pools)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        db_pool_free(pools->pool[shard]);
    *pools = (struct shard_pools){.pool = {NULL}};
}

bool shard_pools_take(const struct shard_pools *pools, unsigned from, struct db *db[SHARDS], int64_t until_ms)
{
    bool all = true;

    for (unsigned shard = 0; shard < SHARDS; shard++) {
        db[shard] = shard >= from && pools->pool[shard] ? db_pool_wait(pools->pool[shard], clock_left_ms(until_ms)) : NULL;
        all &= shard < from || !pools->pool[shard] || db[shard];
    }
    return all;
}

void shard_pools_give(const struct shard_pools *pools, struct db *const db[SHARDS])
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (db[shard])
            db_pool_give(pools->pool[shard], db[shard]);
}
