/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * admin - /metrics and /healthz for whoever runs the daemon, on sockets of their own.
 *
 * A thread of its own answers, so that it may list a folder. Who reaches the sockets may know all that is told.
 */
#ifndef PIXELD_ADMIN_H
#define PIXELD_ADMIN_H

#include "pixeld/metrics.h"
#include "pixeld/site.h"

struct admin {
    struct site *site;
    struct metrics_sources sources;
};

/* ARG is the struct admin: an answer function of http.h. */
struct http_answer admin_answer(void *arg, const struct request *request);

#endif
