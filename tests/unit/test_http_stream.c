/* SPDX-License-Identifier: BSD-2-Clause */
/* streaming answers: every byte in order, a reader that sleeps is woken, a slow or gone one ends the stream */

#include "pixeld/http_stream.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MOST = 4096, LINES = 20000 };

/* A connection, as far as a stream goes. */
struct connection {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool asleep;
    unsigned woken;
};

static void put_to_sleep(void *arg)
{
    struct connection *connection = arg;

    pthread_mutex_lock(&connection->lock);
    connection->asleep = true;
    pthread_mutex_unlock(&connection->lock);
}

static void wake(void *arg)
{
    struct connection *connection = arg;

    pthread_mutex_lock(&connection->lock);
    connection->asleep = false;
    connection->woken++;
    pthread_cond_signal(&connection->changed);
    pthread_mutex_unlock(&connection->lock);
}

static void await(struct connection *connection)
{
    pthread_mutex_lock(&connection->lock);
    while (connection->asleep)
        pthread_cond_wait(&connection->changed, &connection->lock);
    pthread_mutex_unlock(&connection->lock);
}

#define NEW_CONNECTION {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER}

static void *write_lines(void *arg)
{
    struct http_stream *stream = arg;

    for (int n = 0; n < LINES; n++) {
        char line[16];

        snprintf(line, sizeof line, "%d\n", n);
        if (!http_stream_add(stream, slice_str(line)))
            return NULL;
    }
    http_stream_end(stream);
    http_stream_leave(stream);
    return stream;
}

static void every_byte_comes_in_order(void **state)
{
    struct connection connection = NEW_CONNECTION;
    struct http_streams *streams = http_streams_new(put_to_sleep, wake);
    struct http_stream *stream = http_stream_new(1024 * 1024);
    char block[100], line[16];
    size_t filled = 0;
    pthread_t writer;
    void *done;
    int next = 0;
    ssize_t got;

    (void)state;
    http_stream_begin(stream, streams, &connection);
    assert_int_equal(pthread_create(&writer, NULL, write_lines, stream), 0);
    while ((got = http_stream_read(stream, block, sizeof block)) >= 0) {
        for (ssize_t at = 0; at < got; at++) {
            line[filled++] = block[at];
            if (block[at] != '\n')
                continue;
            line[filled] = '\0';
            assert_int_equal(strtol(line, NULL, 10), next++);
            filled = 0;
        }
        if (got == 0)
            await(&connection);
    }
    pthread_join(writer, &done);
    assert_non_null(done);
    assert_int_equal(next, LINES);
    http_stream_close(stream);
    http_streams_free(streams);
}

static void who_reads_too_little_is_ended(void **state)
{
    struct connection connection = NEW_CONNECTION;
    struct http_streams *streams = http_streams_new(put_to_sleep, wake);
    struct http_stream *stream = http_stream_new(MOST);
    char block[MOST] = {0};

    (void)state;
    http_stream_begin(stream, streams, &connection);
    assert_true(http_stream_add(stream, slice_of(block, MOST)));
    assert_false(http_stream_add(stream, slice_of(block, 1)));
    assert_true(http_stream_is_over(stream));
    assert_int_equal(http_stream_read(stream, block, sizeof block), MOST);
    assert_int_equal(http_stream_read(stream, block, sizeof block), -1);
    http_stream_leave(stream);
    http_stream_close(stream);
    http_streams_free(streams);
}

static void the_engines_end_is_the_end_of_all(void **state)
{
    struct connection connection = NEW_CONNECTION;
    struct http_streams *streams = http_streams_new(put_to_sleep, wake);
    struct http_stream *early = http_stream_new(MOST), *late = http_stream_new(MOST), *closed = http_stream_new(MOST);
    char block[16];

    (void)state;
    http_stream_begin(closed, streams, &connection);
    http_stream_begin(early, streams, &connection);
    http_stream_close(closed);
    assert_false(http_stream_add(closed, slice_str("x")));
    assert_int_equal(http_stream_read(early, block, sizeof block), 0);
    http_streams_end(streams);
    assert_int_equal(connection.woken, 1);
    assert_int_equal(http_stream_read(early, block, sizeof block), -1);
    http_stream_begin(late, streams, &connection);
    assert_int_equal(http_stream_read(late, block, sizeof block), -1);
    for (size_t n = 0; n < 3; n++)
        http_stream_leave((struct http_stream *[]){early, late, closed}[n]);
    http_stream_close(early);
    http_stream_close(late);
    http_streams_free(streams);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_comes_in_order),
        cmocka_unit_test(who_reads_too_little_is_ended),
        cmocka_unit_test(the_engines_end_is_the_end_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
