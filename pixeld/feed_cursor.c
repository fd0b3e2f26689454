/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_cursor.h"

#include <inttypes.h>

/* Takes a number of digits off the front; false when none stands there, or one that is too large. */
static bool take_number(struct slice *text, int64_t *number)
{
    size_t digits = 0;
    int64_t value = 0;

    while (digits < text->len && ascii_is_digit(text->p[digits])) {
        if (value > (INT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (text->p[digits++] - '0');
    }
    *text = slice_from(*text, digits);
    *number = value;
    return digits > 0;
}

static bool take_mark(struct slice *text, char mark)
{
    if (!text->len || text->p[0] != mark)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

static void read_item(struct slice item, struct feed_cursor *cursor)
{
    int64_t batch, record = -1, shard = 0;

    if (!take_number(&item, &batch))
        return;
    if (take_mark(&item, ':')) {
        shard = batch;
        if (!take_number(&item, &batch))
            return;
    }
    if (take_mark(&item, '-') && !take_number(&item, &record))
        return;
    if (item.len || shard >= SHARDS)
        return;
    cursor->batch[shard] = batch;
    cursor->record[shard] = record;
}

struct feed_cursor feed_cursor_read(struct slice text)
{
    struct feed_cursor cursor;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        cursor.batch[shard] = cursor.record[shard] = -1;
    while (text.len) {
        size_t end = slice_find_char(text, ',');

        read_item(slice_of(text.p, end), &cursor);
        text = slice_from(text, end + 1);
    }
    return cursor;
}

void feed_cursor_add(struct buf *out, const struct feed_cursor *cursor)
{
    const char *gap = "";

    for (unsigned shard = 0; shard < SHARDS; shard++) {
        if (cursor->batch[shard] < 0)
            continue;
        buf_add_str(out, gap);
        if (shard)
            buf_add_f(out, "%u:", shard);
        buf_add_f(out, "%" PRId64, cursor->batch[shard]);
        if (cursor->record[shard] >= 0)
            buf_add_f(out, "-%" PRId64, cursor->record[shard]);
        gap = ",";
    }
}
