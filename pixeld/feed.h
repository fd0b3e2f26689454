/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed - the Live Feed under /feed: which page is asked for, and who may see it.
 */
#ifndef PIXELD_FEED_H
#define PIXELD_FEED_H

#include "pixeld/route.h"
#include "pixeld/site.h"

struct http_answer feed_answer(struct site *site, const struct request *request, const struct route *route);

/* At the desk. */
struct http_answer feed_work(struct site *site, const struct request *request, const struct route *route, struct db *db);

#endif
