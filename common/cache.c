/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache - see cache.h
 *
 * A value lies under the MAC of epoch, space and key, and is sealed as being about that name. A value from elsewhere does not open.
 */

#include "common/cache.h"

#include "common/clock.h"
#include "common/hex.h"
#include "common/little_endian.h"
#include "common/seal.h"

#include <libmemcached/memcached.h>
#include <libmemcached/util.h>
#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POOL_MOST = 16, NAME_BYTES = 64, NAME_MAC_BYTES = 16, VALUE_MAX = 1024 * 1024, OPTIONS_MAX = 16384, LEFT_ALONE_S = 2, RETRY_S = 1 };

struct cache {
    struct keys *keys;
    memcached_pool_st *pool;   /* NULL: no servers */
    bool single;               /* one server: its failure concerns every key */
    _Atomic int64_t not_before_ms; /* monotonic */
    _Atomic int64_t epoch;     /* 0: not known */
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

struct cache *cache_new(const char *servers, int timeout_ms, struct keys *keys, struct buf *error)
{
    struct cache *cache = calloc(1, sizeof *cache);

    if (!cache) {
        buf_add_str(error, "no memory for the cache");
        return NULL;
    }
    cache->keys = keys;
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

/* EPOCH becomes that under which a value of that space stands; false when nothing is to be found or kept. */
static bool settle_epoch(const char *space, int64_t *epoch)
{
    bool lasts = strcmp(space, CACHE_CAMPAIGN) == 0;

    *epoch = lasts ? 0 : *epoch;
    return lasts || *epoch;
}

int64_t cache_epoch(struct cache *cache)
{
    return atomic_load(&cache->epoch);
}

void cache_begin_epoch(void *cache, int64_t epoch)
{
    atomic_store(&((struct cache *)cache)->epoch, epoch);
}

static memcached_st *borrow(struct cache *cache)
{
    memcached_return_t result;

    if (!cache->pool || clock_monotonic_ms() < atomic_load(&cache->not_before_ms))
        return NULL;
    return memcached_pool_pop(cache->pool, false, &result);
}

/* Also by a server that has no room for a value, and says so. */
static bool is_answer(memcached_return_t result)
{
    return result == MEMCACHED_SUCCESS || result == MEMCACHED_NOTFOUND || result == MEMCACHED_END ||
           result == MEMCACHED_NOTSTORED || result == MEMCACHED_DATA_EXISTS || result == MEMCACHED_E2BIG ||
           result == MEMCACHED_SERVER_MEMORY_ALLOCATION_FAILURE;
}

static void give_back(struct cache *cache, memcached_st *handle, memcached_return_t result)
{
    /* a handle that still leaves the server alone by itself has learned nothing new */
    if (cache->single && !is_answer(result) && result != MEMCACHED_SERVER_TEMPORARILY_DISABLED)
        atomic_store(&cache->not_before_ms, clock_monotonic_ms() + LEFT_ALONE_S * 1000);
    memcached_pool_push(cache->pool, handle);
}

/* With the space in front for whoever looks at the server. 0 when there is no memory. */
static size_t name_of(struct cache *cache, char name[NAME_BYTES], int64_t epoch, const char *space, struct slice key)
{
    uint8_t number[8], mac[KEYS_MAC_BYTES];
    const struct slice parts[] = {slice_str("name"), slice_of((const char *)number, sizeof number), slice_str(space), slice_str(":"), key};
    struct buf text;
    size_t len;

    le64_put(number, (uint64_t)epoch);
    if (!keys_cache_mac(cache->keys, parts, sizeof parts / sizeof *parts, mac))
        return 0;
    buf_init(&text, NAME_BYTES - 1);
    buf_add_f(&text, "spoor:%.23s:", space);
    hex_add(&text, mac, NAME_MAC_BYTES);
    len = text.failed ? 0 : text.len;
    memcpy(name, buf_text(&text), len + 1);
    buf_free(&text);
    return len;
}

/* Whoever has the key file and what lies in memcached, but no epoch that is over, cannot make the key of that. */
static bool value_key(struct cache *cache, int64_t epoch, uint8_t key[SEAL_KEY_BYTES])
{
    uint8_t number[8];
    const struct slice parts[] = {slice_str("value"), slice_of((const char *)number, sizeof number)};

    static_assert((int)SEAL_KEY_BYTES == (int)KEYS_MAC_BYTES, "a MAC is a key");
    le64_put(number, (uint64_t)epoch);
    return keys_cache_mac(cache->keys, parts, 2, key);
}

struct many {
    uint8_t key[SEAL_KEY_BYTES];
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
                hits[n] = seal_open(many->key, name, bytes, &values[n]);
    }
    memcached_result_free(&stored);
    return result;
}

void cache_get_many(struct cache *cache, const char *space, const struct slice *keys, size_t count, struct buf *values,
                    bool *hits)
{
    memcached_st *handle = NULL;
    struct many many = {.count = count < CACHE_MANY ? count : CACHE_MANY};
    int64_t epoch = cache_epoch(cache);
    const char *names[CACHE_MANY];
    memcached_return_t result = MEMCACHED_SUCCESS;
    bool named;

    for (size_t n = 0; n < count; n++)
        hits[n] = false;
    if (!settle_epoch(space, &epoch) || !(handle = borrow(cache)))
        return;
    named = value_key(cache, epoch, many.key);
    for (size_t n = 0; n < many.count; n++) {
        many.len[n] = name_of(cache, many.name[n], epoch, space, keys[n]);
        names[n] = many.name[n];
        named = named && many.len[n];
    }
    if (named)
        result = memcached_mget(handle, names, many.len, many.count);
    if (named && result == MEMCACHED_SUCCESS)
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

static void put(struct cache *cache, store_call *call, int64_t epoch, const char *space, struct slice key, struct slice value,
                uint32_t seconds)
{
    memcached_return_t result = MEMCACHED_SUCCESS;
    memcached_st *handle = NULL;
    uint8_t sealing[SEAL_KEY_BYTES];
    char name[NAME_BYTES];
    struct buf stored;
    size_t len;

    if (!settle_epoch(space, &epoch) || !(handle = borrow(cache)))
        return;
    buf_init(&stored, VALUE_MAX);
    len = name_of(cache, name, epoch, space, key);
    if (len && value_key(cache, epoch, sealing) && seal_close(sealing, slice_of(name, len), value, &stored))
        result = call(handle, name, len, stored.data, stored.len, (time_t)seconds, 0);
    give_back(cache, handle, result);
    buf_free(&stored);
}

void cache_set(struct cache *cache, int64_t epoch, const char *space, struct slice key, struct slice value, uint32_t seconds)
{
    put(cache, memcached_set, epoch, space, key, value, seconds);
}

void cache_add(struct cache *cache, int64_t epoch, const char *space, struct slice key, struct slice value, uint32_t seconds)
{
    put(cache, memcached_add, epoch, space, key, value, seconds);
}

/* The library's longer message has addresses in memory and lines of its own source in it. */
static void add_failure(memcached_st *handle, struct buf *why)
{
    const memcached_instance_st *server = memcached_server_get_last_disconnect(handle);

    if (server)
        buf_add_f(why, "%s:%u: ", memcached_server_name(server), (unsigned)memcached_server_port(server));
    buf_add_str(why, memcached_strerror(handle, memcached_last_error(handle)));
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
        add_failure(handle, why);
    memcached_pool_push(cache->pool, handle);
    return result == MEMCACHED_SUCCESS;
}
