/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * https - requests to the other side of a sink; with smtp.c the only user of libcurl.
 *
 * HTTPS with a verified certificate and nothing else: no redirect is followed, no proxy taken from the environment, no cookie
 * or password file used. Each socket is judged when it is opened (peer.h), so that no name can lead to a private address.
 * Time and size of an answer are bounded. A struct https belongs to one thread and keeps its connection.
 */
#ifndef RELAY_HTTPS_H
#define RELAY_HTTPS_H

#include "common/buf.h"
#include "common/conf.h"

enum { HTTPS_WHY = 256 };

/* Before the first thread, and at the end. */
bool https_begin(void);
void https_end(void);

struct https;
/* ANSWER_MAX: bytes of an answer's body. NULL with WHY. */
struct https *https_new(const struct conf_sink *sink, size_t answer_max, struct buf *why);
void https_free(struct https *https);

struct https_request {
    const char *method;
    const char *url;
    const char *const *fields; /* "Name: value", NULL behind the last */
    struct slice body;         /* not sent with GET */
    bool answer_may_be_cut;    /* its first ANSWER_MAX bytes will do */
};

struct https_answer {
    long status;
    struct buf body;
    bool is_long;              /* there was more than BODY could hold; the connection is closed */
    int64_t retry_after_ms;    /* 0: not said */
    char why[HTTPS_WHY];       /* when there is no answer */
};

/* False without a complete answer. Free the answer in any case. */
bool https_ask(struct https *https, const struct https_request *request, struct https_answer *answer);
void https_answer_free(struct https_answer *answer);

/* Adds TEXT as it may stand in a query or a form. */
void https_add_escaped(struct buf *out, const char *text);

#endif
