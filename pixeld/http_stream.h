/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_stream - the body of an answer that comes by and by: who makes it adds bytes, the engine hands them on.
 *
 * Two hold a reference: its maker, until http_stream_leave(), and the page it is the body of. The maker may call from
 * any thread; the engine from the thread of the connection. No HTTP library is needed: the engine says how a
 * connection is put to sleep and woken.
 */
#ifndef PIXELD_HTTP_STREAM_H
#define PIXELD_HTTP_STREAM_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct http_stream;
struct http_streams; /* all of an engine, so that it can end them */

/* With one reference for each of the two; MOST bytes may wait. NULL without memory. */
struct http_stream *http_stream_new(size_t most);
void http_stream_leave(struct http_stream *stream); /* NULL is fine */

/* False when nobody reads any more, or so little that MOST would be passed: then the stream ends. */
bool http_stream_add(struct http_stream *stream, struct slice bytes);
void http_stream_end(struct http_stream *stream); /* behind what waits */
bool http_stream_is_over(struct http_stream *stream);

/* for the engine */

/* SLEEP is called on the thread of the connection, WAKE on any; both with a lock held that is taken for nothing else. */
struct http_streams *http_streams_new(void (*sleep)(void *connection), void (*wake)(void *connection));
void http_streams_end(struct http_streams *streams); /* all there are; those that begin later end at once. NULL is fine */
void http_streams_free(struct http_streams *streams); /* when no connection is left; NULL is fine */

void http_stream_begin(struct http_stream *stream, struct http_streams *streams, void *connection);
/* Bytes for the connection, 0 when it was put to sleep, -1 at the end. */
ssize_t http_stream_read(struct http_stream *stream, char *bytes, size_t most);
/* The connection is gone, or never began. */
void http_stream_close(struct http_stream *stream);

#endif
