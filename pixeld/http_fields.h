/* SPDX-License-Identifier: BSD-2-Clause */
/* http_fields - from what libmicrohttpd has read to a request, and whether its end is clear. For the HTTP engine. */
#ifndef PIXELD_HTTP_FIELDS_H
#define PIXELD_HTTP_FIELDS_H

#include "pixeld/request.h"

#include <microhttpd.h>

/* Fills REQUEST, which points into what the library holds of this one. */
void http_read_request(struct MHD_Connection *connection, const char *target, const char *method, struct slice proxy_header,
                       struct request *request);

/* Who is at the other end of the socket. */
const struct sockaddr *http_peer(struct MHD_Connection *connection);

#endif
