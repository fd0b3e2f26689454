/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema_shards - several servers tell each other: what spoorctl schema sets up between the first one and another.
 *
 * Both have the schema. Replication slots are made apart from subscriptions, for these would wait for ever where both databases are
 * in one PostgreSQL. Says on stderr what fails. Doing it again changes nothing that is right.
 */
#ifndef CTL_SCHEMA_SHARDS_H
#define CTL_SCHEMA_SHARDS_H

#include "common/conf.h"
#include "common/db.h"

/* FIRST and OTHER are connected. Returns when the copies are there. */
bool schema_shards_join(const struct conf *conf, struct db *first, struct db *other, unsigned shard);

/*
 * Reading across: how the first server reads another; then, once all are joined, the views of all. They go before a migration, for
 * they hold on to what it may change.
 */
bool schema_shards_reach(const struct conf *conf, struct db *first, unsigned shard);
bool schema_shards_show(struct db *first);
bool schema_shards_hide(struct db *first);

#endif
