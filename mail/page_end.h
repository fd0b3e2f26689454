/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_end - what is added to a page where its own text ends: links to documents, the decoy, pixels.
 *
 * For page.c, which knows where that is. Pure.
 */
#ifndef MAIL_PAGE_END_H
#define MAIL_PAGE_END_H

#include "mail/mail_links.h"
#include "mail/splice.h"

#include <stdint.h>

/*
 * Gmail cuts a page off at 102 KB, and the pixel at its end with it. SpamAssassin takes a page of up to 3,200
 * characters with a picture for an advertisement that hides its words in the picture (HTML_IMAGE_ONLY_*, up to 2.8
 * points): a page with a pixel is no shorter than PAGE_SHORT.
 */
enum { PAGE_TOP_PIXEL_BYTES = 95 * 1024, PAGE_URL_LINE_MAX = 900, PAGE_SHORT = 3240 };

struct page {
    bool pixel;       /* this page gets one, and the footer */
    bool short_lines; /* 7bit or 8bit: a URL must fit a line */
    unsigned part;    /* its index, for the links */
    struct slice block; /* goes where the author's own text ends */
    struct slice footer; /* of a plain text */
    bool shows_block, shows_footer;
    struct splice_list splices;
    unsigned pixels, wrapped, cleaned;
};

#define PAGE_NOWHERE SIZE_MAX

/* Adds to the page's splices. BODY_OPEN is where a long page gets a pixel too, or PAGE_NOWHERE. False without memory. */
bool page_end(const struct mail_links *links, struct page *page, struct slice text, size_t end, size_t body_open);

#endif
