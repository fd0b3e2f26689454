/* SPDX-License-Identifier: BSD-2-Clause */
/* http_page - an answer made beforehand, for any number of requests at once on any thread. */
#ifndef PIXELD_HTTP_PAGE_H
#define PIXELD_HTTP_PAGE_H

#include "common/buf.h"
#include "common/slice.h"
#include "pixeld/http_stream.h"

#include <stddef.h>
#include <stdint.h>

struct http_page;

struct http_header {
    const char *name;
    const char *value;
};

/* BODY is copied. Content-Length and Date are added when it is sent; HEAD leaves the body out. NULL without
 * memory. */
struct http_page *http_page_new(unsigned status, const struct http_header *headers, size_t count,
                                struct slice body);
/* The same, but what BODY holds is taken over, and BODY is empty then. NULL also when it had failed. */
struct http_page *http_page_new_taking(unsigned status, const struct http_header *headers, size_t count,
                                       struct buf *body);
/* A body that comes by and by. The reference to STREAM that the caller gives away goes with the page, also when this is NULL. */
struct http_page *http_page_new_streaming(unsigned status, const struct http_header *headers, size_t count,
                                          struct http_stream *stream);
/* The body is LENGTH bytes of the file FD, from FIRST on. FD goes with the page, also when this is NULL. */
struct http_page *http_page_new_file(unsigned status, const struct http_header *headers, size_t count, int fd, uint64_t first,
                                     uint64_t length);
/* The same for an answer that serves many requests, and may be the last one on a connection. */
struct http_page *http_page_new_lasting(unsigned status, const struct http_header *headers, size_t count,
                                        struct slice body);
unsigned http_page_status(const struct http_page *page); /* 0 for NULL */
void http_page_free(struct http_page *page); /* NULL is fine; what is being sent is sent */

#endif
