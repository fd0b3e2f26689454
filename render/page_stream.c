/* SPDX-License-Identifier: BSD-2-Clause */
/* page_stream - see page_stream.h */

#include "render/page_stream.h"

#include <stdio.h>

enum { HEADER_MOST = 64, READ_AHEAD = 1024 * 1024 };

void page_stream_init(struct page_stream *stream)
{
    buf_init(&stream->bytes, PAGE_IMAGE_MOST + PAGE_RAW_TEXT_MOST + READ_AHEAD);
    stream->next = 1;
}

void page_stream_free(struct page_stream *stream)
{
    buf_free(&stream->bytes);
}

struct header {
    int number;
    size_t image, text;
    size_t bytes; /* of the line itself; 0 while it is not complete */
};

/* False when it is none. */
static bool read_header(struct slice bytes, struct header *header)
{
    char line[HEADER_MOST];
    size_t len = slice_find_char(bytes, '\n');

    header->bytes = 0;
    if (len >= sizeof line)
        return false;
    if (len == bytes.len)
        return true;
    snprintf(line, sizeof line, "%.*s", (int)len, bytes.p);
    header->bytes = len + 1;
    return sscanf(line, "page %7d %9zu %9zu", &header->number, &header->image, &header->text) == 3 &&
           header->image <= PAGE_IMAGE_MOST && header->text <= PAGE_RAW_TEXT_MOST;
}

static void drop(struct buf *bytes, size_t count)
{
    bytes->len -= count;
    memmove(bytes->data, bytes->data + count, bytes->len);
}

bool page_stream_take(struct page_stream *stream, struct slice bytes, bool (*got)(void *arg, const struct page_frame *frame),
                      void *arg)
{
    if (!buf_add_slice(&stream->bytes, bytes))
        return false;
    while (stream->bytes.len) {
        struct slice all = buf_slice(&stream->bytes);
        struct page_frame frame;
        struct header header;

        if (!read_header(all, &header))
            return false;
        if (header.bytes == 0 || all.len < header.bytes + header.image + header.text)
            return true;
        if (header.number != stream->next++)
            return false;
        frame.number = header.number;
        frame.image = slice_of(all.p + header.bytes, header.image);
        frame.text = slice_of(frame.image.p + header.image, header.text);
        if (!got(arg, &frame))
            return false;
        drop(&stream->bytes, header.bytes + header.image + header.text);
    }
    return true;
}
