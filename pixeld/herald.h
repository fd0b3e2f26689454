/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * herald - tells open feed pages what happens (server-sent events, WHATWG HTML 9.2). One thread with a connection of its
 * own listens to the database, and asks it once for all pages together what came with the batches since.
 *
 * The id of what is sent is the number of the last batch it came from: a page that lost its stream asks for what is
 * behind that. A page that has missed too much, or reads too slowly, is told to load itself again, or ended.
 */
#ifndef PIXELD_HERALD_H
#define PIXELD_HERALD_H

#include "common/buf.h"
#include "pixeld/http_stream.h"
#include "pixeld/place.h"

#include <stdbool.h>
#include <stdint.h>

struct herald;

struct herald_options {
    const char *conninfo;
    const char *program;
    const char *prefix;    /* of the links, see feed_entry.h */
    struct places *places; /* NULL: none are told */
    size_t streams;        /* most at once */
};

/* OPTIONS are copied, but for what they point to, which must live as long. NULL with ERROR. */
struct herald *herald_start(const struct herald_options *options, struct buf *error);
/* Ends all streams, and herald_open() gives none any more. Before the engine that has them; NULL is fine. */
void herald_stop(struct herald *herald);
void herald_free(struct herald *herald); /* stopped, and the desks too, for they call herald_open(); NULL is fine */

/*
 * A stream for whoever has this session, with what came behind AFTER; -1: from now on. It ends with the session. NULL when
 * there are too many, or no memory.
 */
struct http_stream *herald_open(struct herald *herald, const char *secret, const char *address, bool sees_all, int64_t after);

#endif
