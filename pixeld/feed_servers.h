/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_servers - the servers that a page of the feed asks, and the events of all of them as one list.
 *
 * One that is away is left out, and the page says what is missing. Without further servers it is the one there always was.
 */
#ifndef PIXELD_FEED_SERVERS_H
#define PIXELD_FEED_SERVERS_H

#include "common/shard_pools.h"
#include "common/store_feed.h"
#include "pixeld/feed_cursor.h"

struct feed_servers {
    const struct shard_pools *pools;
    struct db *db[SHARDS]; /* NULL: away, or not named in spoor.conf */
    struct feed_cursor newest;
    bool asked; /* for that */
};

/* FIRST is lent already, and stays the caller's; NULL when that server is away. A connection to each other is taken. */
void feed_servers_begin(struct feed_servers *servers, const struct shard_pools *pools, struct db *first);
void feed_servers_end(struct feed_servers *servers);
struct db *feed_servers_any(const struct feed_servers *servers); /* the first that is there; NULL: none is */
struct db *feed_servers_of(const struct feed_servers *servers, uint64_t message);
bool feed_servers_is_missing(const struct feed_servers *servers, unsigned shard);

/*
 * The newest batch of each, without records, as it was when it was first asked for. All are asked at once, and one that takes much longer
 * than another is left out from then on: so nothing later waits for it. False: nobody could be asked.
 */
bool feed_servers_newest(struct feed_servers *servers, struct feed_cursor *newest, int deadline_ms);

struct feed_row {
    unsigned shard;
    size_t row; /* of rows[shard] */
};
struct feed_rows {
    struct db_result *rows[SHARDS];
    struct feed_row *row; /* newest first */
    size_t count;
    struct feed_cursor next; /* what is older lies behind it */
};
/*
 * QUESTION's count at most, older than BEFORE, whose place in QUESTION does not count. NEWEST as above: where what is older begins on a server of
 * which none were taken. A server that fails is left out from then on. False: nobody could be asked, or no memory.
 */
bool feed_rows_ask(struct feed_servers *servers, const char *secret, const struct store_feed_question *question,
                   const struct feed_cursor *before, const struct feed_cursor *newest, int deadline_ms, struct feed_rows *rows);
void feed_rows_free(struct feed_rows *rows);

#endif
