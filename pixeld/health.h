/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health - /healthz: 200 "ok", or 503 with one line for each trouble. At the public door, where a load balancer asks the very
 * socket that it sends people to, only loopback and the trusted networks learn what the trouble is; others read
 * "not ok".
 *
 * A database that is away is no trouble before HEALTH_LAG_S have passed: hits are answered and kept all the
 * while.
 */
#ifndef PIXELD_HEALTH_H
#define PIXELD_HEALTH_H

#include "pixeld/site.h"

enum { HEALTH_LAG_S = 300 };

/* TELL: what the trouble is, too. */
struct http_answer health_answer(struct site *site, bool tell);
bool health_may_know(const struct site *site, const struct request *request);

#endif
