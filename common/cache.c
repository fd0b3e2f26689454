/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - see cache.h
 *
 * A stored value is: u32 length of space and key, space, a colon, key, value. The name it is stored under is
 * only a hash of space and key; comparing them on the way back turns a collision into a miss.
 */

#include "common/cache.h"

#include "common/clock.h"

#include <libmemcached/memcached.h>
#include <libmemcached/util.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MOST = 16, NAME_BYTES = 64, VALUE_MAX = 1024 * 1024, OPTIONS_MAX = 16384, LEFT_ALONE_S = 2, RETRY_S = 1 };

struct cache {
    memcached_pool_st *pool;   /* NULL: no servers */
    bool single;               /* one server: its failure concerns every key */
    _Atomic int64_t not_before_ms; /* monotonic */
};

/* "--SERVER=" once for each; false for an empty name or a byte that the option language would read otherwise. */
static bool add_servers(struct buf *options, const char *servers, size_t *count)
{
    while (*servers) {
        size_t len = strcspn(servers, ",");
        struct slice server = slice_trim(slice_of(servers, len));

        for (size_t at = 0; at < server.len; at++)
            if (!strchr(".:-_[]", server.p[at]) && !ascii_is_alpha(server.p[at]) && !ascii_is_digit(server.p[at]))
                return false;
        if (slice_empty(server))
            return false;
        buf_add_f(options, "--SERVER=%.*s ", SLICE_ARG(server));
        (*count)++;
        servers += len + (servers[len] == ',');
    }
    return true;
}

static memcached_pool_st *make_pool(const char *servers, int timeout_ms, bool *single)
{
    memcached_pool_st *pool = NULL;
    struct buf options;
    size_t count = 0;

    buf_init(&options, OPTIONS_MAX);
    if (add_servers(&options, servers, &count)) {
        /* the text protocol, for libmemcached asks for many by one call then, and by two in the binary one */
        buf_add_f(&options, "--DISTRIBUTION=consistent --TCP-NODELAY --CONNECT-TIMEOUT=%d --POLL-TIMEOUT=%d --RCV-TIMEOUT=%d "
                  "--SND-TIMEOUT=%d --RETRY-TIMEOUT=%d --POOL-MIN=1 --POOL-MAX=%d",
                  timeout_ms, timeout_ms, timeout_ms * 1000, timeout_ms * 1000, RETRY_S, POOL_MOST);
        if (!options.failed)
            pool = memcached_pool(options.data, options.len);
    }
    *single = count == 1;
    buf_free(&options);
    return pool;
}

struct cache *cache_new(const char *servers, int timeout_ms, struct buf *error)
{
    struct cache *cache = calloc(1, sizeof *cache);

    if (!cache) {
        buf_add_str(error, "no memory for the cache");
        return NULL;
    }
    if (servers[0] == '\0')
        return cache;
    cache->pool = make_pool(servers, timeout_ms, &cache->single);
    if (!cache->pool) {
        buf_add_f(error, "cannot use the memcached servers \"%s\": a list of HOST:PORT with commas is wanted", servers);
        free(cache);
        return NULL;
    }
    return cache;
}

void cache_free(struct cache *cache)
{
    if (!cache)
        return;
    if (cache->pool) {
        memcached_st *handle = memcached_pool_destroy(cache->pool);

        if (handle)
            memcached_free(handle);
    }
    free(cache);
}

static memcached_st *borrow(struct cache *cache)
{
    memcached_return_t result;

    if (!cache->pool || clock_monotonic_ms() < atomic_load(&cache->not_before_ms))
        return NULL;
    return memcached_pool_pop(cache->pool, false, &result);
}

static void give_back(struct cache *cache, memcached_st *handle, memcached_return_t result)
{
    bool fine = result == MEMCACHED_SUCCESS || result == MEMCACHED_NOTFOUND || result == MEMCACHED_END ||
                result == MEMCACHED_NOTSTORED || result == MEMCACHED_DATA_EXISTS;

    /* a handle that still leaves the server alone by itself has learned nothing new */
    if (cache->single && !fine && result != MEMCACHED_SERVER_TEMPORARILY_DISABLED)
        atomic_store(&cache->not_before_ms, clock_monotonic_ms() + LEFT_ALONE_S * 1000);
    memcached_pool_push(cache->pool, handle);
}

/* FNV-1a of space, colon and key, with the space in front for whoever looks at the server. */
static size_t name_of(char name[NAME_BYTES], const char *space, struct slice key)
{
    uint64_t hash = 0xcbf29ce484222325;

    for (const char *c = space; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    hash = (hash ^ ':') * 0x100000001b3;
    for (size_t at = 0; at < key.len; at++)
        hash = (hash ^ (unsigned char)key.p[at]) * 0x100000001b3;
    return (size_t)snprintf(name, NAME_BYTES, "spoor:%.24s:%016llx", space, (unsigned long long)hash);
}

static void add_prefix(struct buf *out, const char *space, struct slice key)
{
    uint32_t len = (uint32_t)(strlen(space) + 1 + key.len);
    unsigned char bytes[4] = {(unsigned char)len, (unsigned char)(len >> 8), (unsigned char)(len >> 16),
                              (unsigned char)(len >> 24)};

    buf_add(out, bytes, sizeof bytes);
    buf_add_str(out, space);
    buf_add_char(out, ':');
    buf_add_slice(out, key);
}

/* What stands behind the prefix; false when another key has the same name. */
static bool unwrap(const char *space, struct slice key, struct slice stored, struct buf *value)
{
    struct buf wanted;
    struct slice prefix;
    bool same;

    buf_init(&wanted, VALUE_MAX);
    add_prefix(&wanted, space, key);
    prefix = buf_slice(&wanted);
    same = !wanted.failed && stored.len >= prefix.len && memcmp(stored.p, prefix.p, prefix.len) == 0 &&
           buf_add_slice(value, slice_from(stored, prefix.len));
    buf_free(&wanted);
    return same;
}

struct many {
    const char *space;
    const struct slice *key;
    size_t count;
    char name[CACHE_MANY][NAME_BYTES];
    size_t len[CACHE_MANY];
};

static memcached_return_t fetch(memcached_st *handle, const struct many *many, struct buf *values, bool *hits)
{
    memcached_return_t result = MEMCACHED_SUCCESS;
    memcached_result_st stored;

    memcached_result_create(handle, &stored);
    while (memcached_fetch_result(handle, &stored, &result)) {
        struct slice name = slice_of(memcached_result_key_value(&stored), memcached_result_key_length(&stored));
        struct slice bytes = slice_of(memcached_result_value(&stored), memcached_result_length(&stored));

        for (size_t n = 0; n < many->count; n++)
            if (!hits[n] && slice_eq(name, slice_of(many->name[n], many->len[n])))
                hits[n] = unwrap(many->space, many->key[n], bytes, &values[n]);
    }
    memcached_result_free(&stored);
    return result;
}

void cache_get_many(struct cache *cache, const char *space, const struct slice *keys, size_t count, struct buf *values,
                    bool *hits)
{
    memcached_st *handle = borrow(cache);
    struct many many = {.space = space, .key = keys, .count = count < CACHE_MANY ? count : CACHE_MANY};
    const char *names[CACHE_MANY];
    memcached_return_t result;

    for (size_t n = 0; n < count; n++)
        hits[n] = false;
    if (!handle)
        return;
    for (size_t n = 0; n < many.count; n++) {
        many.len[n] = name_of(many.name[n], space, keys[n]);
        names[n] = many.name[n];
    }
    result = memcached_mget(handle, names, many.len, many.count);
    if (result == MEMCACHED_SUCCESS)
        result = fetch(handle, &many, values, hits);
    give_back(cache, handle, result);
}

bool cache_get(struct cache *cache, const char *space, struct slice key, struct buf *value)
{
    bool hit;

    cache_get_many(cache, space, &key, 1, value, &hit);
    return hit;
}

typedef memcached_return_t store_call(memcached_st *handle, const char *name, size_t name_len, const char *value,
                                      size_t value_len, time_t seconds, uint32_t flags);

static void put(struct cache *cache, store_call *call, const char *space, struct slice key, struct slice value,
                uint32_t seconds)
{
    memcached_st *handle = borrow(cache);
    memcached_return_t result = MEMCACHED_SUCCESS;
    char name[NAME_BYTES];
    struct buf stored;

    if (!handle)
        return;
    buf_init(&stored, VALUE_MAX);
    add_prefix(&stored, space, key);
    buf_add_slice(&stored, value);
    if (!stored.failed)
        result = call(handle, name, name_of(name, space, key), stored.data, stored.len, (time_t)seconds, 0);
    give_back(cache, handle, result);
    buf_free(&stored);
}

void cache_set(struct cache *cache, const char *space, struct slice key, struct slice value, uint32_t seconds)
{
    put(cache, memcached_set, space, key, value, seconds);
}

void cache_add(struct cache *cache, const char *space, struct slice key, struct slice value, uint32_t seconds)
{
    put(cache, memcached_add, space, key, value, seconds);
}

void cache_flush(struct cache *cache)
{
    memcached_st *handle = borrow(cache);

    if (handle)
        give_back(cache, handle, memcached_flush(handle, 0));
}

bool cache_answers(struct cache *cache, struct buf *why)
{
    memcached_st *handle;
    memcached_return_t result = MEMCACHED_FAILURE;

    if (!cache->pool)
        return true;
    handle = memcached_pool_pop(cache->pool, true, &result);
    if (!handle) {
        buf_add_str(why, memcached_strerror(NULL, result));
        return false;
    }
    result = memcached_version(handle);
    if (result != MEMCACHED_SUCCESS)
        buf_add_str(why, memcached_last_error_message(handle) ? memcached_last_error_message(handle)
                                                              : memcached_strerror(handle, result));
    memcached_pool_push(cache->pool, handle);
    return result == MEMCACHED_SUCCESS;
}
