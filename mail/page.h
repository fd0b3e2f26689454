/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - one HTML text of a mail: what happens to its links, and where pixels and decoy go.
 *
 * Reads the text once and fills a list of splices; nothing is changed here. Offsets are bytes of the text
 * given, which for ISO-2022-JP and UTF-16 is the masked one.
 */
#ifndef MAIL_PAGE_H
#define MAIL_PAGE_H

#include "mail/mail_links.h"
#include "mail/splice.h"

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
    bool shows_block;
    struct splice_list splices;
    unsigned pixels, wrapped, cleaned;
};

/* False without memory. The splices are settled. */
bool page_read(struct mail_links *links, struct page *page, struct slice text);

#endif
