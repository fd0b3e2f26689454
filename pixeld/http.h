/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http - the engine that takes connections, parses HTTP/1.1 (RFC 9112) and sends answers; with the other http_* files the
 * only user of libmicrohttpd.
 *
 * Requests are answered on the engine's threads, one answer at a time a thread; an answer function must
 * not wait. What has to ask the database says `at_desk`: its connection is suspended, and a thread of the desk makes the
 * answer by the work function. The target is handed over raw, header fields as they came. A POST is answered when its
 * body is in; where no body is wanted, at once, and so is a request whose end could be understood in two ways, or that has
 * a body and is no POST (marked `unframed`), and one with a large body (`too_large`): the connection ends after the answer.
 */
#ifndef PIXELD_HTTP_H
#define PIXELD_HTTP_H

#include "common/buf.h"
#include "common/network.h"
#include "common/slice.h"
#include "pixeld/desk.h"
#include "pixeld/http_page.h"
#include "pixeld/listen.h"
#include "pixeld/request.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_answer {
    struct http_page *page; /* NULL ends the connection */
    bool once;              /* made for this request: freed by the engine */
    uint64_t after;         /* sent once this is settled, see http_options; 0: at once */
    bool at_desk;           /* the work function makes the answer; the rest of this is void */
    uint64_t message;       /* with at_desk: the mail it is about, see desk.h */
    bool takes_long;        /* with at_desk: at the one for such work, so that others need not wait for it */
};

/* What is done with the body of a POST. */
struct http_body {
    size_t most; /* bytes; 0: none is wanted. No more than REQUEST_BODY_MAX */
    bool kept;   /* in request.body; else thrown away */
};

struct http_options {
    unsigned threads;
    size_t connections;               /* most at once; more are closed */
    unsigned connections_per_address; /* as crowd.h counts them; 0: no limit */
    const struct network_list *proxies; /* whom that limit is not for, and who gets time when it ends; NULL: nobody */
    int64_t header_timeout_ms; /* of a POST: for its body too */
    unsigned idle_timeout_s;
    const char *proxy_header; /* whose lines go into request.forwarded; "" none */
    struct http_answer (*answer)(void *arg, const struct request *request);
    struct http_body (*wants_body)(void *arg, const struct request *request); /* of this POST; NULL: of none */
    /* The answer to what is `at_desk`; DB is NULL when there is none or no place, and then nothing may be waited for. */
    struct http_answer (*work)(void *arg, const struct request *request, struct db *db);
    struct desk *desk; /* NULL: nothing is ever at_desk. http_stop() stops it and leaves it */
    struct desk *long_desk; /* NULL: nothing ever takes_long; else as DESK */
    /* Returns when everything up to AFTER is settled, for so many ANSWERS; may wait. NULL: none ever waits. */
    void (*settle)(void *arg, uint64_t after, size_t answers);
    void *arg;
};

struct http;

/* The sockets in LISTENERS belong to the engine when this returns not NULL. OPTIONS is copied. */
struct http *http_start(const struct http_options *options, struct listeners *listeners, struct buf *error);

/*
 * Takes no more connections, lets requests finish for up to DRAIN_MS, each answer saying that it is the connection's
 * last, and ends the threads. True when all were finished. SHARED: another process has the sockets too, and new
 * connections wait there; else they are refused from now on.
 */
bool http_stop(struct http *http, int64_t drain_ms, bool shared);

struct http_counts {
    size_t open;           /* connections now */
    uint64_t limited;      /* closed at once, for `connections` was reached */
    uint64_t limited_address; /* for `connections_per_address` was */
    uint64_t late;         /* closed, for a header did not come in time */
};
struct http_counts http_counts(struct http *http);

#endif
