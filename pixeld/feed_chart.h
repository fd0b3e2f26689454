/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_chart - the charts of the feed's pages, from what the database counts.
 */
#ifndef PIXELD_FEED_CHART_H
#define PIXELD_FEED_CHART_H

#include "pixeld/feed_visit.h"

/* Views and links followed a day, of a mail, or with NULL of the newest mails; nothing when the database does not tell. */
void feed_chart_add(struct buf *html, const struct feed_visit *visit, const char *message);

/* How long the pages of each document of a mail were read; nothing of one that nobody has read. */
void feed_chart_add_pages(struct buf *html, const struct feed_visit *visit, const char *message);

#endif
