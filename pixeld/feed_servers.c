/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_servers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_TEXT = 24, GRACE_MS = 2000 /* for a question that takes no time */ };

void feed_servers_begin(struct feed_servers *servers, const struct shard_pools *pools, struct db *first)
{
    *servers = (struct feed_servers){.pools = pools, .db = {first}};
    for (unsigned shard = 1; shard < SHARDS; shard++)
        if (pools->pool[shard])
            servers->db[shard] = db_pool_take(pools->pool[shard]);
}

void feed_servers_end(struct feed_servers *servers)
{
    for (unsigned shard = 1; servers->pools && shard < SHARDS; shard++)
        if (servers->db[shard])
            db_pool_give(servers->pools->pool[shard], servers->db[shard]);
    *servers = (struct feed_servers){.pools = NULL};
}

struct db *feed_servers_any(const struct feed_servers *servers)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (servers->db[shard])
            return servers->db[shard];
    return NULL;
}

struct db *feed_servers_of(const struct feed_servers *servers, uint64_t message)
{
    return servers->db[servers->pools->pool[shard_of(message)] ? shard_of(message) : 0];
}

bool feed_servers_is_missing(const struct feed_servers *servers, unsigned shard)
{
    return servers->pools->pool[shard] && !servers->db[shard];
}

/* It failed while it was asked: what it has is missing from here on. */
static void leave_out(struct feed_servers *servers, unsigned shard)
{
    if (shard)
        db_pool_give(servers->pools->pool[shard], servers->db[shard]);
    servers->db[shard] = NULL;
}

static void ask_newest(struct feed_servers *servers, int deadline_ms)
{
    bool sent[SHARDS];

    servers->asked = true;
    servers->newest = feed_cursor_read(slice_str(""));
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sent[shard] = servers->db[shard] && store_send_last_batch(servers->db[shard]);
    db_await(servers->db, SHARDS, deadline_ms, GRACE_MS);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct db_result *last = sent[shard] ? store_receive_last_batch(servers->db[shard]) : NULL;

        if (last)
            servers->newest.batch[shard] = db_integer(last, 0, 0);
        else if (servers->db[shard])
            leave_out(servers, shard);
        db_result_free(last);
    }
}

bool feed_servers_newest(struct feed_servers *servers, struct feed_cursor *newest, int deadline_ms)
{
    if (!servers->asked)
        ask_newest(servers, deadline_ms);
    *newest = servers->newest;
    return feed_servers_any(servers) != NULL;
}

static bool send(struct feed_servers *servers, unsigned shard, const char *secret, const struct store_feed_question *question,
                 const struct feed_cursor *before)
{
    struct store_feed_question here = *question;
    char batch[NUMBER_TEXT], record[NUMBER_TEXT];

    here.before_batch = here.before_record = NULL;
    if (before->batch[shard] >= 0 && before->record[shard] >= 0) {
        snprintf(batch, sizeof batch, "%" PRId64, before->batch[shard]);
        snprintf(record, sizeof record, "%" PRId64, before->record[shard]);
        here.before_batch = batch;
        here.before_record = record;
    }
    return store_send_my_feed(servers->db[shard], secret, &here);
}

/* The server whose next event is the newest; SHARDS when none has one. Of one server the order is its own. */
static unsigned newest_of(const struct feed_rows *rows, const size_t *taken)
{
    unsigned found = SHARDS;

    for (unsigned shard = 0; shard < SHARDS; shard++) {
        if (!rows->rows[shard] || taken[shard] == db_rows(rows->rows[shard]))
            continue;
        if (found == SHARDS || strcmp(db_value(rows->rows[shard], taken[shard], ENTRY_AT),
                                      db_value(rows->rows[found], taken[found], ENTRY_AT)) > 0)
            found = shard;
    }
    return found;
}

static void merge(struct feed_rows *rows, size_t most)
{
    size_t taken[SHARDS] = {0};
    unsigned shard;

    while (rows->count < most && (shard = newest_of(rows, taken)) != SHARDS) {
        rows->next.batch[shard] = db_integer(rows->rows[shard], taken[shard], ENTRY_BATCH);
        rows->next.record[shard] = db_integer(rows->rows[shard], taken[shard], ENTRY_RECORD);
        rows->row[rows->count++] = (struct feed_row){shard, taken[shard]++};
    }
}

bool feed_rows_ask(struct feed_servers *servers, const char *secret, const struct store_feed_question *question,
                   const struct feed_cursor *before, const struct feed_cursor *newest, int deadline_ms, struct feed_rows *rows)
{
    bool asked = false, sent[SHARDS];

    *rows = (struct feed_rows){.next = *before, .row = calloc((size_t)question->count, sizeof *rows->row)};
    if (!rows->row)
        return false;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        sent[shard] = servers->db[shard] && send(servers, shard, secret, question, before);
    db_await(servers->db, SHARDS, deadline_ms, deadline_ms);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        if (!servers->db[shard])
            continue;
        rows->rows[shard] = sent[shard] ? store_receive_my_feed(servers->db[shard]) : NULL;
        asked |= rows->rows[shard] != NULL;
        if (!rows->rows[shard]) {
            leave_out(servers, shard);
        } else if (rows->next.batch[shard] < 0 && newest->batch[shard] >= 0) {
            rows->next.batch[shard] = newest->batch[shard] + 1;
            rows->next.record[shard] = 0;
        }
    }
    if (asked)
        merge(rows, (size_t)question->count);
    return asked;
}

void feed_rows_free(struct feed_rows *rows)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        db_result_free(rows->rows[shard]);
    free(rows->row);
    *rows = (struct feed_rows){.row = NULL};
}
