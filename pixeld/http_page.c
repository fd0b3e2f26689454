/* SPDX-License-Identifier: BSD-2-Clause */
/* http_page - answers as the library takes them; see http_page.h */

#include "pixeld/http_page_private.h"

#include <stdlib.h>
#include <unistd.h>

enum { STREAM_BLOCK = 4096 };

static struct MHD_Response *add_headers(struct MHD_Response *response, const struct http_header *headers, size_t count)
{
    for (size_t n = 0; response && n < count; n++)
        if (MHD_add_response_header(response, headers[n].name, headers[n].value) != MHD_YES) {
            MHD_destroy_response(response);
            return NULL;
        }
    return response;
}

static struct MHD_Response *new_response(const struct http_header *headers, size_t count, struct slice body)
{
    return add_headers(MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.p, MHD_RESPMEM_MUST_COPY),
                       headers, count);
}

static bool make_last(struct MHD_Response *response)
{
    return MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close") == MHD_YES;
}

struct http_page *http_page_new(unsigned status, const struct http_header *headers, size_t count,
                                struct slice body)
{
    struct http_page *page = calloc(1, sizeof *page);

    if (page == NULL)
        return NULL;
    page->status = status;
    page->response = new_response(headers, count, body);
    if (page->response)
        return page;
    http_page_free(page);
    return NULL;
}

struct http_page *http_page_new_lasting(unsigned status, const struct http_header *headers, size_t count,
                                        struct slice body)
{
    struct http_page *page = http_page_new(status, headers, count, body);

    if (page == NULL)
        return NULL;
    page->last = new_response(headers, count, body);
    if (page->last && make_last(page->last))
        return page;
    http_page_free(page);
    return NULL;
}

/* RESPONSE goes with the page; NULL gives NULL. */
static struct http_page *page_of(unsigned status, struct MHD_Response *response)
{
    struct http_page *page = response ? calloc(1, sizeof *page) : NULL;

    if (page == NULL && response)
        MHD_destroy_response(response);
    if (page)
        *page = (struct http_page){.response = response, .status = status};
    return page;
}

struct http_page *http_page_new_taking(unsigned status, const struct http_header *headers, size_t count,
                                       struct buf *body)
{
    size_t length = body->len;
    char *bytes = buf_steal(body);
    struct MHD_Response *response = bytes ? MHD_create_response_from_buffer(length, bytes, MHD_RESPMEM_MUST_FREE) : NULL;

    if (bytes && !response)
        free(bytes);
    return page_of(status, add_headers(response, headers, count));
}

struct http_page *http_page_new_file(unsigned status, const struct http_header *headers, size_t count, int fd, uint64_t first,
                                     uint64_t length)
{
    struct MHD_Response *response = MHD_create_response_from_fd_at_offset64(length, fd, first);

    if (!response)
        close(fd);
    return page_of(status, add_headers(response, headers, count));
}

/* The library's thread asks for more: what waits, or the connection sleeps until there is something. */
static ssize_t read_stream(void *arg, uint64_t position, char *bytes, size_t most)
{
    ssize_t got = http_stream_read(arg, bytes, most);

    (void)position;
    return got < 0 ? MHD_CONTENT_READER_END_OF_STREAM : got;
}

static void close_stream(void *arg)
{
    http_stream_close(arg);
}

struct http_page *http_page_new_streaming(unsigned status, const struct http_header *headers, size_t count,
                                          struct http_stream *stream)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, stream, close_stream);
    struct http_page *page;

    if (!response)
        http_stream_close(stream);
    page = page_of(status, add_headers(response, headers, count));
    if (page)
        page->stream = stream;
    return page;
}

unsigned http_page_status(const struct http_page *page)
{
    return page ? page->status : 0;
}

void http_page_free(struct http_page *page)
{
    if (page && page->response)
        MHD_destroy_response(page->response);
    if (page && page->last)
        MHD_destroy_response(page->last);
    free(page);
}

struct MHD_Response *http_page_response(const struct http_page *page, bool last)
{
    if (!last)
        return page->response;
    if (page->last)
        return page->last;
    make_last(page->response); /* without memory for it the connection just ends */
    return page->response;
}
