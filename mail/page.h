/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page - one HTML text of a mail: what happens to its links, and where pixels and decoy go.
 *
 * Reads the text once and fills a list of splices; nothing is changed here. Offsets are bytes of the text
 * given, which for ISO-2022-JP and UTF-16 is the masked one.
 */
#ifndef MAIL_PAGE_H
#define MAIL_PAGE_H

#include "mail/page_end.h"

/* False without memory. The splices are settled. */
bool page_read(struct mail_links *links, struct page *page, struct slice text);

#endif
