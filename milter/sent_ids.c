/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sent_ids - see sent_ids.h
 *
 * What stands in memcached, under the id in lower case: the number of the mail, then, when it left with another id,
 * a blank and that. The number 0 is a miss.
 */

#include "common/clock.h"
#include "common/store.h"
#include "milter/sent_ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEPT_S = 7 * 24 * 3600,
    FOUND_S = 24 * 3600,
    MISS_S = 5 * 60, /* spans a burst in a thread; should spoor-stamp not have reached memcached, the harm ends soon */
    VALUE_MAX = SENT_ID_MAX + 24
};

static const char space[] = "message_id";

static struct slice lower_case(struct slice id, char lower[SENT_ID_MAX])
{
    size_t len = id.len < SENT_ID_MAX ? id.len : SENT_ID_MAX;

    for (size_t at = 0; at < len; at++)
        lower[at] = ascii_lower(id.p[at]);
    return slice_of(lower, len);
}

static void read_value(const char *value, struct sent_id *id)
{
    char *sent;

    id->message = strtoull(value, &sent, 10);
    if (*sent == ' ' && strlen(sent + 1) < sizeof id->sent)
        memcpy(id->sent, sent + 1, strlen(sent + 1) + 1);
}

static void add_value(struct buf *value, uint64_t message, struct slice sent)
{
    buf_add_f(value, "%" PRIu64, message);
    if (sent.len)
        buf_add_f(value, " %.*s", SLICE_ARG(sent));
}

/* KNOWN tells of which ids memcached has heard, misses too. */
static void ask_cache(struct cache *cache, struct sent_id *ids, size_t count, bool *known)
{
    char lower[SENT_IDS_MAX][SENT_ID_MAX];
    struct slice keys[SENT_IDS_MAX] = {{NULL, 0}};
    struct buf values[SENT_IDS_MAX];

    for (size_t n = 0; n < count; n++) {
        ids[n].message = 0;
        ids[n].sent[0] = '\0';
        keys[n] = lower_case(ids[n].id, lower[n]);
        buf_init(&values[n], VALUE_MAX);
    }
    cache_get_many(cache, space, keys, count, values, known);
    for (size_t n = 0; n < count; n++) {
        if (known[n])
            read_value(buf_text(&values[n]), &ids[n]);
        buf_free(&values[n]);
    }
}

static void remember(struct cache *cache, int64_t epoch, const struct sent_id *id)
{
    char lower[SENT_ID_MAX];
    struct buf value;

    buf_init(&value, VALUE_MAX);
    add_value(&value, id->message, slice_str(id->sent));
    if (!value.failed)
        cache_add(cache, epoch, space, lower_case(id->id, lower), buf_slice(&value), id->message ? FOUND_S : MISS_S);
    buf_free(&value);
}

static bool ask_one(struct db_pool *databases, struct sent_id *ids, size_t count, int64_t until_ms)
{
    struct db *db = db_pool_wait(databases, clock_left_ms(until_ms));
    enum store_answer answer;

    if (!db)
        return false;
    answer = store_find_messages(db, ids, count, clock_left_ms(until_ms));
    db_pool_give(databases, db);
    return answer != STORE_AWAY;
}

static bool receive(struct db *db, struct sent_id *ids, size_t count)
{
    struct sent_id found[SENT_IDS_MAX];

    memcpy(found, ids, count * sizeof *found);
    if (store_receive_messages(db, found, count) == STORE_AWAY)
        return false;
    for (size_t n = 0; n < count; n++)
        if (found[n].message > ids[n].message)
            ids[n] = found[n];
    return true;
}

/*
 * An id that is not ours names no server, so all are asked, at once: one that does not answer costs no more than the time there is, and
 * keeps nobody from hearing of what another knows. Of several mails the newest counts. False when one was away.
 */
static bool ask_all(const struct shard_pools *databases, struct sent_id *ids, size_t count, int64_t until_ms)
{
    struct db *db[SHARDS];
    bool all = shard_pools_take(databases, 0, db, until_ms), sent[SHARDS];

    for (unsigned shard = 0; shard < SHARDS; shard++)
        sent[shard] = db[shard] && store_send_messages(db[shard], ids, count);
    db_await(db, SHARDS, clock_left_ms(until_ms), clock_left_ms(until_ms));
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (db[shard])
            all &= sent[shard] && receive(db[shard], ids, count);
    shard_pools_give(databases, db);
    return all;
}

static bool ask_databases(const struct shard_pools *databases, struct sent_id *ids, size_t count, int64_t until_ms)
{
    return shard_pools_are_several(databases) ? ask_all(databases, ids, count, until_ms)
                                              : ask_one(shard_pools_first(databases), ids, count, until_ms);
}

void sent_ids_find(struct cache *cache, const struct shard_pools *databases, struct sent_id *ids, size_t count, int64_t until_ms)
{
    struct sent_id unknown[SENT_IDS_MAX];
    bool known[SENT_IDS_MAX], all;
    int64_t epoch = cache_epoch(cache);
    size_t left = 0;
    size_t next = 0;

    if (count > SENT_IDS_MAX)
        count = SENT_IDS_MAX;
    ask_cache(cache, ids, count, known);
    for (size_t n = 0; n < count; n++)
        if (!known[n])
            unknown[left++] = ids[n];
    if (!left)
        return;
    all = ask_databases(databases, unknown, left, until_ms);
    for (size_t n = 0; n < count; n++) {
        if (known[n])
            continue;
        ids[n] = unknown[next++];
        if (all)
            remember(cache, epoch, &ids[n]);
    }
}

void sent_ids_keep(struct cache *cache, int64_t epoch, const struct record_message *record)
{
    struct slice id = record->client_message_id;
    char lower[SENT_ID_MAX];
    struct buf value;

    if (!id.len || id.len > SENT_ID_MAX)
        return;
    buf_init(&value, VALUE_MAX);
    add_value(&value, record->id, slice_eq_i(record->sent_message_id, id) ? slice_str("") : record->sent_message_id);
    if (!value.failed)
        cache_set(cache, epoch, space, lower_case(id, lower), buf_slice(&value), KEPT_S);
    buf_free(&value);
}
