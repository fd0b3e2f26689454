/* SPDX-License-Identifier: BSD-2-Clause */
/* shard - see shard.h */

#include "common/shard.h"

#include <stdio.h>

const char *shard_database(const struct conf *conf, unsigned shard)
{
    if (shard == 0)
        return conf->database;
    for (size_t n = 0; n < conf->shards.count; n++)
        if ((unsigned)(conf->shards.item[n][0] - '0') == shard)
            return conf->shards.item[n] + CONF_SHARD_PREFIX;
    return NULL;
}

const char *shard_name(unsigned shard, char name[SHARD_NAME_BYTES])
{
    if (shard)
        snprintf(name, SHARD_NAME_BYTES, "shard %u", shard);
    else
        snprintf(name, SHARD_NAME_BYTES, "the database");
    return name;
}
