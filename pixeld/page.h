/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - the answers that never change, made once at start.
 */
#ifndef PIXELD_PAGE_H
#define PIXELD_PAGE_H

#include "pixeld/http.h"

#include <stdbool.h>

struct pages {
    struct http_page *pixel;              /* 200, a transparent GIF of 43 bytes that nobody may cache */
    struct http_page *not_found;          /* 404 */
    struct http_page *no_document;        /* 404, of a link to a document */
    struct http_page *method_not_allowed; /* 405 with Allow; ends the connection */
    struct http_page *post_allowed;       /* the same, where POST is allowed too */
    struct http_page *too_large;          /* 413; ends the connection */
    struct http_page *unavailable;        /* 503 with Retry-After */
    struct http_page *unsubscribe;        /* 200, asks */
    struct http_page *unsubscribed;       /* 200, says that it is done */
    struct http_page *consent;            /* 200, asks */
    struct http_page *untracked;          /* 200, says that it is done */
    struct http_page *bad_request;        /* 400; ends the connection */
    struct http_page *too_many;           /* 429 with Retry-After */
    struct http_page *no_content;         /* 204 */
    struct http_page *healthy;            /* 200 "ok" */
};

bool pages_init(struct pages *pages); /* false without memory; nothing to release then */
void pages_release(struct pages *pages);

#endif
