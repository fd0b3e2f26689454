/* SPDX-License-Identifier: BSD-2-Clause */
/* http_private - what the files of the HTTP engine share: the engine itself, and its connections. */
#ifndef PIXELD_HTTP_PRIVATE_H
#define PIXELD_HTTP_PRIVATE_H

#include "pixeld/http.h"

#include "common/log.h"

#include <microhttpd.h>
#include <stdatomic.h>

struct http {
    struct http_options options;
    struct slice proxy_header;
    struct deadlines *deadlines;
    struct crowd *crowd; /* NULL: a client may have all connections */
    atomic_uint_fast64_t limited;
    atomic_uint_fast64_t limited_address;
    struct held *held;   /* NULL: no answer waits */
    struct http_streams *streams;
    struct http_quiesce *quiesce;
    struct log_throttle refused_throttle;
    struct log_throttle exhausted_throttle;
    struct listeners listeners;
    struct MHD_Daemon *daemon[LISTEN_MAX];
    size_t daemons;
};

/* What belongs to a connection of the library, from its beginning to its end; on whichever thread calls back for it. */
struct http_connection;

/* PATIENT: from a proxy, see deadline.h. NULL without memory. */
struct http_connection *http_connection_begin(struct http *http, struct MHD_Connection *connection, bool patient);
void http_connection_end(struct http *http, struct http_connection *connection); /* NULL is fine */

/* Callbacks of the library, with the engine as ARG. */
enum MHD_Result http_connection_request(void *arg, struct MHD_Connection *connection, const char *target, const char *method,
                                        const char *version, const char *body, size_t *body_size, void **context);
void http_connection_completed(void *arg, struct MHD_Connection *connection, void **context,
                               enum MHD_RequestTerminationCode why);
/* An answer that was held may go; WHAT is the connection. */
void http_connection_release(void *what);

#endif
