/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * herald - tells open feed pages what happens (server-sent events, WHATWG HTML 9.2). For each server a thread with a connection
 * of its own listens to it, and asks it once for all pages together what came with the batches since.
 *
 * The id of what is sent tells the last batch of each server that it came from, see feed_cursor.h: a page that lost its stream
 * asks for what is behind that. A page that has missed too much, or reads too slowly, is told to load itself again, or ended.
 */
#ifndef PIXELD_HERALD_H
#define PIXELD_HERALD_H

#include "common/buf.h"
#include "pixeld/feed_cursor.h"
#include "pixeld/http_stream.h"
#include "pixeld/place.h"

#include <stdbool.h>
#include <stdint.h>

struct herald;

struct herald_options {
    const struct conf *conf; /* names the servers; not needed later */
    const char *program;
    const char *prefix;    /* of the links, see feed_entry.h */
    struct places *places; /* NULL: none are told */
    size_t streams;        /* most at once */
    size_t of_one;         /* of these, of one sender */
};

/* OPTIONS are copied, but for what they point to, which must live as long. NULL with ERROR. */
struct herald *herald_start(const struct herald_options *options, struct buf *error);
/* Ends all streams, and herald_open() gives none any more. Before the engine that has them; NULL is fine. */
void herald_stop(struct herald *herald);
void herald_free(struct herald *herald); /* stopped, and the desks too, for they call herald_open(); NULL is fine */

/*
 * A stream for whoever has this session, with what came behind AFTER; where that says nothing, from now on. It ends with the session, and
 * when ADDRESS has opened more than of_one since: the page is told that it is one of too many. NULL when there are too many, or no memory.
 */
struct http_stream *herald_open(struct herald *herald, const char *secret, const char *address, bool sees_all,
                                const struct feed_cursor *after);

#endif
