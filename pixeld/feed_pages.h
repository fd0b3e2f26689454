/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_pages - the pages of the feed, each answered at the desk. Those that need a session have one.
 */
#ifndef PIXELD_FEED_PAGES_H
#define PIXELD_FEED_PAGES_H

#include "pixeld/feed_visit.h"

/* feed_list.c */
struct http_answer feed_list_show(struct feed_visit *visit);
struct http_answer feed_list_csv(struct feed_visit *visit);
struct http_answer feed_list_live(struct feed_visit *visit);

/* feed_mail.c */
struct http_answer feed_mail_show(struct feed_visit *visit);

/* feed_account.c */
struct http_answer feed_sign_in_show(struct feed_visit *visit);
struct http_answer feed_sign_in_post(struct feed_visit *visit);
struct http_answer feed_link_show(struct feed_visit *visit);
struct http_answer feed_link_post(struct feed_visit *visit);
struct http_answer feed_sign_out(struct feed_visit *visit);
struct http_answer feed_devices_show(struct feed_visit *visit);
struct http_answer feed_devices_post(struct feed_visit *visit);

#endif
