/* SPDX-License-Identifier: BSD-2-Clause */
/* http_private - what the files around libmicrohttpd share: http.c, http_page.c and http_fields.c. */
#ifndef PIXELD_HTTP_PRIVATE_H
#define PIXELD_HTTP_PRIVATE_H

#include "pixeld/http.h"

#include <microhttpd.h>

struct http_page {
    struct MHD_Response *response;
    struct MHD_Response *last; /* the same with "Connection: close"; NULL for a page that serves one request */
    struct http_stream *stream; /* NULL: the body is there */
    unsigned status;
};

/* What is sent. LAST: as the last answer on its connection. */
struct MHD_Response *http_page_response(const struct http_page *page, bool last);

/* Fills REQUEST, which points into what the library holds of this one. */
void http_read_request(struct MHD_Connection *connection, const char *target, const char *method, struct slice proxy_header,
                       struct request *request);

/* Who is at the other end of the socket. */
const struct sockaddr *http_peer(struct MHD_Connection *connection);

#endif
