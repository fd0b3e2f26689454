/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_stream - pages as the sandbox writes them, one after the other: "page NUMBER IMAGE-BYTES TEXT-BYTES" and a
 * newline, the picture, the text.
 *
 * Pure. Bytes come in pieces of any size. Pages must come in order, from 1.
 */
#ifndef RENDER_PAGE_STREAM_H
#define RENDER_PAGE_STREAM_H

#include "common/buf.h"

enum { PAGE_IMAGE_MOST = 16 * 1024 * 1024, PAGE_RAW_TEXT_MOST = 1024 * 1024 };

struct page_frame {
    int number;
    struct slice image;
    struct slice text; /* as it came */
};

struct page_stream {
    struct buf bytes; /* not taken yet */
    int next;         /* the page that must come */
};

void page_stream_init(struct page_stream *stream);
void page_stream_free(struct page_stream *stream);

/*
 * Calls GOT for each page that is complete; its frame is valid in the call. False when GOT said so, what came is no
 * page, or there is no memory: the stream is then of no more use.
 */
bool page_stream_take(struct page_stream *stream, struct slice bytes, bool (*got)(void *arg, const struct page_frame *frame),
                      void *arg);

#endif
