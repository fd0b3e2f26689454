/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain - one plain text of a mail: what happens to the URLs in it.
 *
 * Our old links get their destinations back, our old pixels' URLs (Outlook writes pictures into its text
 * part) go. Other URLs are tracked only where text_links asks for it, for here the reader sees them. Adds the page's
 * block and footer. Reads the text once, in linear time, and fills a list of splices.
 */
#ifndef MAIL_PLAIN_H
#define MAIL_PLAIN_H

#include "mail/page.h"

/* False without memory. The splices are settled. */
bool plain_read(struct mail_links *links, struct page *page, struct slice text);

#endif
