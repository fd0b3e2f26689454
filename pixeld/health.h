/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * health - /healthz: 200 "ok", or 503 with one line for each trouble. What the trouble is
 * learn only loopback and the trusted networks; others read "not ok".
 *
 * A database that is away is no trouble before HEALTH_LAG_S have passed: hits are answered and kept all the
 * while.
 */
#ifndef PIXELD_HEALTH_H
#define PIXELD_HEALTH_H

#include "pixeld/site.h"

enum { HEALTH_LAG_S = 300 };

struct http_answer health_answer(struct site *site, const struct request *request);

#endif
