/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * request - what is kept of one HTTP request while it is answered.
 *
 * Filled by http.c; everything it points to belongs to the connection and is valid until the answer is
 * given. A field that did not come is the empty slice. No HTTP library is needed to make or read one.
 */
#ifndef PIXELD_REQUEST_H
#define PIXELD_REQUEST_H

#include "common/slice.h"

#include <stdbool.h>
#include <sys/socket.h>

enum request_method { REQUEST_GET, REQUEST_HEAD, REQUEST_POST, REQUEST_OTHER };

enum request_field {
    REQUEST_USER_AGENT,
    REQUEST_REFERER,
    REQUEST_ACCEPT,
    REQUEST_ACCEPT_LANGUAGE,
    REQUEST_PURPOSE,
    REQUEST_SEC_PURPOSE,
    REQUEST_X_PURPOSE,
    REQUEST_X_MOZ,
    REQUEST_SEC_FETCH_MODE,
    REQUEST_SEC_FETCH_USER,
    REQUEST_SEC_GPC,
    REQUEST_DNT,
    REQUEST_FIELDS
};

/* REQUEST_FIELDS for one that is not kept. */
enum request_field request_field_named(struct slice name);

/* Lines of the trusted proxies' header that are looked at, from the last: one a proxy on the way. */
enum { REQUEST_FORWARDED_MAX = 8 };

/* Of a POST's body, which nobody reads: a mail program sends "List-Unsubscribe=One-Click", a browser nothing. */
enum { REQUEST_BODY_MAX = 16 * 1024 };

struct request {
    enum request_method method;
    bool unframed;       /* a body without POST, or two of a field that may come once: where it ends is not certain */
    bool too_large;      /* a body above REQUEST_BODY_MAX */
    struct slice target; /* as it came, up to a '?'; not decoded */
    const struct sockaddr *peer;
    struct slice field[REQUEST_FIELDS];
    struct slice forwarded[REQUEST_FORWARDED_MAX]; /* in the order they came */
    size_t forwarded_lines;
};

#endif
