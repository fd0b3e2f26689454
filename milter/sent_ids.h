/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sent_ids - which of our mails ids belong to that are not signed: memcached, then the database, one round trip each.
 *
 * Most mail names ids of strangers only. That the database knows none of them is remembered in memcached for a while,
 * so that a thread does not ask about the same ids with each of its mails. Such a miss is only ever added where nothing
 * stands, and spoor-stamp sets an id before its mail is accepted; so no miss covers a mail that has been sent. Without
 * memcached nothing is remembered here: only the process that sends a mail could tell when a miss is no longer true.
 */
#ifndef MILTER_SENT_IDS_H
#define MILTER_SENT_IDS_H

#include "common/cache.h"
#include "common/record.h"
#include "common/sent_id.h"
#include "common/shard_pools.h"

enum { SENT_IDS_MAX = CACHE_MANY };

/* Fills IDS, SENT_IDS_MAX at most, by UNTIL_MS (CLOCK_MONOTONIC). Who cannot be asked knows nothing. */
void sent_ids_find(struct cache *cache, const struct shard_pools *databases, struct sent_id *ids, size_t count, int64_t until_ms);

/* Makes the id that the client gave a mail known at once: before the mail is accepted. EPOCH: see cache_epoch(). */
void sent_ids_keep(struct cache *cache, int64_t epoch, const struct record_message *record);

#endif
