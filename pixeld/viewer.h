/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * viewer - the pages in which documents are read, as HTML. Pure.
 *
 * All pages of a document in one page, one page of it alone for browsers without script, or a note instead of pages. All
 * links are relative, for a proxy may stand before us. Everything that came with the document is written as text.
 */
#ifndef PIXELD_VIEWER_H
#define PIXELD_VIEWER_H

#include "common/buf.h"
#include "common/slice.h"
#include "common/store_document_view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VIEWER_VERSION_TEXT = 12, VIEWER_BYTES_MAX = 4 * 1024 * 1024 };

/* What the reader is told of what is told to the sender. */
enum viewer_notice { NOTICE_PERSON, NOTICE_COUNTED, NOTICE_NOTHING };

struct viewer {
    struct slice file_name;
    int64_t bytes;       /* of the file */
    struct slice token;  /* in the path of this document */
    struct slice version; /* of the document: begins the names of its pictures, so that they may be kept */
    const char *view;    /* view id; "" tells the script to be silent */
    const char *script, *style; /* names of the two assets */
    enum viewer_notice notice;
    int idle_s;          /* who moves nothing for so long is not reading */
    int64_t pages_total; /* of the document; more than PAGES when not all are shown */
    const struct store_page *page;
    size_t pages;
};

/* False when OUT has failed. */
bool viewer_add_document(struct buf *out, const struct viewer *viewer);

/* The first of viewer->page alone. */
bool viewer_add_page(struct buf *out, const struct viewer *viewer);

/* There are no pages yet; REFRESHES is how often the page has come back to see, and it gives up after some minutes. */
bool viewer_add_pending(struct buf *out, const struct viewer *viewer, unsigned refreshes);

/* There will be none: WHY is a word of spoor.document.reason, or empty. */
bool viewer_add_download_only(struct buf *out, const struct viewer *viewer, struct slice why);

#endif
