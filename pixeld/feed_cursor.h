/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_cursor - how far a page of the feed, or its stream, has come on each server; as text for URLs and event ids. Pure.
 *
 * The text is "BATCH-RECORD" or "BATCH" of the first server, then of others with the number before: "7-100,1:9-20".
 */
#ifndef PIXELD_FEED_CURSOR_H
#define PIXELD_FEED_CURSOR_H

#include "common/buf.h"
#include "common/shard.h"

enum { FEED_CURSOR_TEXT = SHARDS * 48 };

struct feed_cursor {
    int64_t batch[SHARDS]; /* -1: not said */
    int64_t record[SHARDS]; /* -1: not said */
};

/* What cannot be read is not said. */
struct feed_cursor feed_cursor_read(struct slice text);
void feed_cursor_add(struct buf *out, const struct feed_cursor *cursor);

#endif
