/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_end - what is added to a page where its own text ends: links to documents, the decoy, pixels.
 *
 * For page.c, which knows where that is. Pure.
 */
#ifndef MAIL_PAGE_END_H
#define MAIL_PAGE_END_H

#include "mail/page.h"

#include <stdint.h>

#define PAGE_NOWHERE SIZE_MAX

/* Adds to the page's splices. BODY_OPEN is where a long page gets a pixel too, or PAGE_NOWHERE. False without memory. */
bool page_end(const struct mail_links *links, struct page *page, struct slice text, size_t end, size_t body_open);

#endif
