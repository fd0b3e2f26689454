/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - memcached, as a cache and nothing else; the only user of libmemcached.
 *
 * Any failure is a miss. Keys are hashed to a legal form here. Any thread may call; each borrows a
 * connection from a pool for the call. A server that does not answer is left alone for a while, so that nothing waits for it twice.
 */
#ifndef COMMON_CACHE_H
#define COMMON_CACHE_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

/* SERVERS "host:port,host:port"; "" gives a cache that always misses. NULL without memory or with bad SERVERS. */
struct cache *cache_new(const char *servers, int timeout_ms, struct buf *error);
void cache_free(struct cache *cache);

bool cache_get(struct cache *cache, const char *space, struct slice key, struct buf *value);
/*
 * All in one round trip. HITS tells which; VALUES are initialised buffers that get theirs. Beyond CACHE_MANY nothing is
 * asked for.
 */
enum { CACHE_MANY = 32 };
void cache_get_many(struct cache *cache, const char *space, const struct slice *keys, size_t count, struct buf *values,
                    bool *hits);
void cache_set(struct cache *cache, const char *space, struct slice key, struct slice value, uint32_t seconds);
/* Only where nothing is yet: what somebody has set stays. */
void cache_add(struct cache *cache, const char *space, struct slice key, struct slice value, uint32_t seconds);

/* Nothing that was in it is found any more. */
void cache_flush(struct cache *cache);

/* Do the servers answer? For spoorctl check; true without servers. */
bool cache_answers(struct cache *cache, struct buf *why);

#endif
