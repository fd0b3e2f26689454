/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - memcached, as a cache and nothing else; the only user of libmemcached.
 *
 * Any failure is a miss. What was set in one epoch is found in no other: so whatever holds the memory of somebody who is forgotten
 * is out of reach once the epoch has changed, and memcached may be shared with others. Until an epoch is known all is a miss, but in
 * spaces that are about nobody, which belong to none. Any thread may call; each borrows a
 * connection from a pool for the call. A server that does not answer is left alone for a while, so that nothing waits for it twice.
 *
 * What lies there names nobody: keys are MACs, values sealed under a key that is made of the key file's and the epoch. So whoever
 * reads memcached learns nothing, whoever writes there makes misses, and once an epoch is over nobody can open what is of it.
 */
#ifndef COMMON_CACHE_H
#define COMMON_CACHE_H

#include "common/buf.h"
#include "common/keys.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

/*
 * SERVERS "host:port,host:port"; "" gives a cache that always misses. KEYS outlive it; NULL: only cache_answers() will be called.
 * NULL without memory or with bad SERVERS.
 */
struct cache *cache_new(const char *servers, int timeout_ms, struct keys *keys, struct buf *error);
void cache_free(struct cache *cache);

/* The space that belongs to no epoch: which answers wait for a database, and of nobody whose. */
#define CACHE_CAMPAIGN "campaign"

bool cache_get(struct cache *cache, const char *space, struct slice key, struct buf *value);
/*
 * All in one round trip. HITS tells which; VALUES are initialised buffers that get theirs. Beyond CACHE_MANY nothing is
 * asked for.
 */
enum { CACHE_MANY = 32 };
void cache_get_many(struct cache *cache, const char *space, const struct slice *keys, size_t count, struct buf *values,
                    bool *hits);

/*
 * The epoch now; 0: none is known. Taken before the value is asked for of whoever knows it: somebody may be forgotten between
 * that answer and its being set here, and it must not be found then.
 */
int64_t cache_epoch(struct cache *cache);
/* EPOCH is of no account in a space that belongs to none. */
void cache_set(struct cache *cache, int64_t epoch, const char *space, struct slice key, struct slice value, uint32_t seconds);
/* Only where nothing is yet: what somebody has set stays. */
void cache_add(struct cache *cache, int64_t epoch, const char *space, struct slice key, struct slice value, uint32_t seconds);

/* CACHE is a struct cache: for forgotten_list_tell(). From any thread; no epoch is 0. */
void cache_begin_epoch(void *cache, int64_t epoch);

/* Do the servers answer? For spoorctl check; true without servers. */
bool cache_answers(struct cache *cache, struct buf *why);

#endif
