/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shard - which PostgreSQL server has what belongs to a mail.
 *
 * A mail's number holds the node that made it, and each server has a range of 128 nodes; so the server follows from the
 * number alone, for ever. Shard 0 is `database`, the first server, and all there is without the option `shards`. Pure.
 */
#ifndef COMMON_SHARD_H
#define COMMON_SHARD_H

#include "common/conf.h"

enum { SHARDS = 8, SHARD_NODES = 128, SHARD_NAME_BYTES = 24 };

/* Of a mail; entries of the library, whose numbers are below those of all mails, are on the first server. */
static inline unsigned shard_of(uint64_t message)
{
    return message >> 22 ? (unsigned)(message >> 19) % SHARDS : 0;
}

/* Its conninfo, borrowed; NULL when spoor.conf does not name it. */
const char *shard_database(const struct conf *conf, unsigned shard);

/* "the database", or "shard 1". */
const char *shard_name(unsigned shard, char name[SHARD_NAME_BYTES]);

#endif
