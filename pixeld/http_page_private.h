/* SPDX-License-Identifier: BSD-2-Clause */
/* http_page_private - what the HTTP engine sees of an answer. */
#ifndef PIXELD_HTTP_PAGE_PRIVATE_H
#define PIXELD_HTTP_PAGE_PRIVATE_H

#include "pixeld/http_page.h"

#include <microhttpd.h>

struct http_page {
    struct MHD_Response *response;
    struct MHD_Response *last; /* the same with "Connection: close"; NULL for a page that serves one request */
    struct http_stream *stream; /* NULL: the body is there */
    unsigned status;
};

/* What is sent. LAST: as the last answer on its connection. */
struct MHD_Response *http_page_response(const struct http_page *page, bool last);

#endif
