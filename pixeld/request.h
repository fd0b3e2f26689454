/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request - what is kept of one HTTP request while it is answered.
 *
 * Filled by http_fields.c; everything it points to belongs to the connection and is valid until the answer is
 * given. A field that did not come is the empty slice. No HTTP library is needed to make or read one.
 */
#ifndef PIXELD_REQUEST_H
#define PIXELD_REQUEST_H

#include "common/slice.h"

#include <stdbool.h>
#include <sys/socket.h>

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

/* By the length of their names, so that few are compared; see request.c. */
enum request_field {
    REQUEST_DNT,
    REQUEST_RANGE,
    REQUEST_X_MOZ,
    REQUEST_ACCEPT,
    REQUEST_COOKIE,
    REQUEST_ORIGIN,
    REQUEST_PURPOSE,
    REQUEST_REFERER,
    REQUEST_SEC_GPC,
    REQUEST_IF_RANGE,
    REQUEST_X_PURPOSE,
    REQUEST_USER_AGENT,
    REQUEST_SEC_PURPOSE,
    REQUEST_CONTENT_TYPE,
    REQUEST_LAST_EVENT_ID,
    REQUEST_IF_NONE_MATCH,
    REQUEST_SEC_FETCH_MODE,
    REQUEST_SEC_FETCH_SITE,
    REQUEST_SEC_FETCH_USER,
    REQUEST_ACCEPT_ENCODING,
    REQUEST_ACCEPT_LANGUAGE,
    REQUEST_FIELDS
};

/* REQUEST_FIELDS for one that is not kept. */
enum request_field request_field_named(struct slice name);

/* Lines of the trusted proxies' header that are looked at, from the last: one a proxy on the way. */
enum { REQUEST_FORWARDED_MAX = 8 };

/* Of a POST's body: a mail program sends "List-Unsubscribe=One-Click", a browser a short form. */
enum { REQUEST_BODY_MAX = 16 * 1024 };

/* Of a query: what follows more is left out. */
enum { REQUEST_ARGUMENTS_MAX = 16 };

struct request_argument {
    struct slice name;
    struct slice value; /* empty also when there is no '=' */
};

struct request {
    enum request_method method;
    bool unframed;       /* a body without POST, or two of a field that may come once: where it ends is not certain */
    bool too_large;      /* a body above what is taken there */
    size_t length;       /* of the body, as Content-Length says; 0 when it does not */
    struct slice target; /* as it came, up to a '?'; not decoded */
    const struct sockaddr *peer;
    struct slice field[REQUEST_FIELDS];
    struct slice forwarded[REQUEST_FORWARDED_MAX]; /* in the order they came */
    size_t forwarded_lines;
    struct slice body;   /* of a POST, where it is kept */
    const struct request_argument *argument; /* of the query, not decoded; only for work at the desk */
    size_t arguments;
};

/* The value of a cookie (RFC 6265 4.2.1), the first of that name; empty when it did not come. */
struct slice request_cookie(const struct request *request, const char *name);

/* What NAME has in the query, not decoded; empty when it is not there. */
struct slice request_argument(const struct request *request, const char *name);

/*
 * May this POST change something for whoever has our cookies? Not when another site made it: a browser says so in
 * Sec-Fetch-Site, or by an Origin that is not HOST's. ORIGIN is scheme and authority of our own pages. What says
 * neither is no browser of these years, and is refused.
 */
bool request_is_same_origin(const struct request *request, struct slice origin);

#endif
