/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/http_stream.h"

#include "common/buf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct http_stream {
    atomic_int references;
    pthread_mutex_t lock; /* of what stands below, up to the blank line */
    struct buf waiting;
    bool over;   /* nothing is added any more */
    bool gone;   /* nobody reads any more */
    bool asleep;
    void *connection; /* NULL: not begun */

    struct http_streams *streams; /* NULL: in no list; `next` and `previous` belong to its lock */
    struct http_stream *next, *previous;
};

/* Its lock is taken before that of a stream. */
struct http_streams {
    pthread_mutex_t lock;
    struct http_stream *first;
    bool ended;
    void (*sleep)(void *connection);
    void (*wake)(void *connection);
};

struct http_stream *http_stream_new(size_t most)
{
    struct http_stream *stream = calloc(1, sizeof *stream);

    if (!stream)
        return NULL;
    atomic_init(&stream->references, 2);
    pthread_mutex_init(&stream->lock, NULL);
    buf_init(&stream->waiting, most);
    return stream;
}

void http_stream_leave(struct http_stream *stream)
{
    if (!stream || atomic_fetch_sub(&stream->references, 1) > 1)
        return;
    pthread_mutex_destroy(&stream->lock);
    buf_free(&stream->waiting);
    free(stream);
}

/* With the lock held. */
static void wake(struct http_stream *stream)
{
    if (!stream->asleep)
        return;
    stream->asleep = false;
    stream->streams->wake(stream->connection);
}

bool http_stream_add(struct http_stream *stream, struct slice bytes)
{
    bool added;

    pthread_mutex_lock(&stream->lock);
    if (!stream->gone && !stream->over && !buf_add_slice(&stream->waiting, bytes))
        stream->over = true;
    added = !stream->gone && !stream->over;
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
    return added;
}

void http_stream_end(struct http_stream *stream)
{
    pthread_mutex_lock(&stream->lock);
    stream->over = true;
    wake(stream);
    pthread_mutex_unlock(&stream->lock);
}

bool http_stream_is_over(struct http_stream *stream)
{
    bool over;

    pthread_mutex_lock(&stream->lock);
    over = stream->over || stream->gone;
    pthread_mutex_unlock(&stream->lock);
    return over;
}

struct http_streams *http_streams_new(void (*sleep)(void *connection), void (*wake_one)(void *connection))
{
    struct http_streams *streams = calloc(1, sizeof *streams);

    if (!streams)
        return NULL;
    pthread_mutex_init(&streams->lock, NULL);
    streams->sleep = sleep;
    streams->wake = wake_one;
    return streams;
}

void http_streams_end(struct http_streams *streams)
{
    if (!streams)
        return;
    pthread_mutex_lock(&streams->lock);
    streams->ended = true;
    for (struct http_stream *stream = streams->first; stream; stream = stream->next)
        http_stream_end(stream);
    pthread_mutex_unlock(&streams->lock);
}

void http_streams_free(struct http_streams *streams)
{
    if (!streams)
        return;
    pthread_mutex_destroy(&streams->lock);
    free(streams);
}

void http_stream_begin(struct http_stream *stream, struct http_streams *streams, void *connection)
{
    pthread_mutex_lock(&streams->lock);
    pthread_mutex_lock(&stream->lock);
    stream->streams = streams;
    stream->connection = connection;
    stream->over = stream->over || streams->ended;
    pthread_mutex_unlock(&stream->lock);
    stream->next = streams->first;
    if (stream->next)
        stream->next->previous = stream;
    streams->first = stream;
    pthread_mutex_unlock(&streams->lock);
}

ssize_t http_stream_read(struct http_stream *stream, char *bytes, size_t most)
{
    ssize_t got = -1;

    pthread_mutex_lock(&stream->lock);
    if (stream->waiting.len) {
        struct buf *waiting = &stream->waiting;
        size_t now = waiting->len < most ? waiting->len : most;

        memcpy(bytes, waiting->data, now);
        memmove(waiting->data, waiting->data + now, waiting->len - now);
        waiting->len -= now;
        got = (ssize_t)now;
    } else if (!stream->over) {
        stream->asleep = true;
        stream->streams->sleep(stream->connection);
        got = 0;
    }
    pthread_mutex_unlock(&stream->lock);
    return got;
}

static void leave_list(struct http_stream *stream)
{
    struct http_streams *streams = stream->streams;

    if (!streams)
        return;
    pthread_mutex_lock(&streams->lock);
    if (stream->previous)
        stream->previous->next = stream->next;
    else
        streams->first = stream->next;
    if (stream->next)
        stream->next->previous = stream->previous;
    pthread_mutex_unlock(&streams->lock);
}

void http_stream_close(struct http_stream *stream)
{
    leave_list(stream);
    pthread_mutex_lock(&stream->lock);
    stream->gone = true;
    stream->asleep = false;
    pthread_mutex_unlock(&stream->lock);
    http_stream_leave(stream);
}
