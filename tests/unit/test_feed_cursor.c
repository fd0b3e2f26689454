/* SPDX-License-Identifier: BSD-2-Clause */
/* how far a page of the feed has come, as text and back */

#include "pixeld/feed_cursor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void comes_back_as(const char *text, const char *wanted)
{
    struct feed_cursor cursor = feed_cursor_read(slice_str(text));
    struct buf again;

    buf_init(&again, FEED_CURSOR_TEXT);
    feed_cursor_add(&again, &cursor);
    if (strcmp(buf_text(&again), wanted) != 0)
        fail_msg("%s: %s, not %s", text, buf_text(&again), wanted);
    buf_free(&again);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    comes_back_as("", "");
    comes_back_as("7", "7");
    comes_back_as("7-100", "7-100");
    comes_back_as("7-100,1:9-20", "7-100,1:9-20");
    comes_back_as("1:9", "1:9");
    comes_back_as("0:3,7:0-0", "3,7:0-0");
    comes_back_as("922337203685477580", "922337203685477580");
}

static void what_is_no_cursor_says_nothing(void **state)
{
    (void)state;
    comes_back_as("x", "");
    comes_back_as("7-", "");
    comes_back_as("-7", "");
    comes_back_as("8:1", "");
    comes_back_as("1:", "");
    comes_back_as("1:2:3", "");
    comes_back_as("7-100 ", "");
    comes_back_as("99999999999999999999", "");
    comes_back_as("1:5,,x,7", "7,1:5");
}

static void the_longest_has_room(void **state)
{
    struct feed_cursor cursor;
    struct buf text;

    (void)state;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        cursor.batch[shard] = cursor.record[shard] = INT64_MAX;
    buf_init(&text, FEED_CURSOR_TEXT);
    feed_cursor_add(&text, &cursor);
    assert_false(text.failed);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_is_no_cursor_says_nothing),
        cmocka_unit_test(the_longest_has_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
