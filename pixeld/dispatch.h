/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dispatch - what is served where: from a request to the file that answers it.
 *
 * dispatch_answer() waits for nothing but, when somebody unsubscribes with spool_sync = 0, the disk. Another page is a
 * place in route.c and a row here.
 */
#ifndef PIXELD_DISPATCH_H
#define PIXELD_DISPATCH_H

#include "pixeld/site.h"

/* ARG is the struct site: an answer function of http.h. */
struct http_answer dispatch_answer(void *arg, const struct request *request);

/* ARG is the struct site: a wants_body function of http.h. */
struct http_body dispatch_wants_body(void *arg, const struct request *request);

/* ARG is the struct site: a work function of http.h, on a thread of the desk. */
struct http_answer dispatch_work(void *arg, const struct request *request, struct db *db);

#endif
