/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * click - /c/TOKEN/DESTINATION: a link was followed.
 *
 * Only a destination that was signed with the token is redirected to, so nobody can lend our name to a
 * page of theirs. All else is a plain 404 page and leaves no record. Who has a key that was revoked could sign any
 * destination: such a link leads only where the mail's own link led, as the database knows it, and leaves no record either.
 */
#ifndef PIXELD_CLICK_H
#define PIXELD_CLICK_H

#include "pixeld/route.h"
#include "pixeld/site.h"

struct http_answer click_answer(struct site *site, const struct request *request,
                                const struct route *route);

/* At the desk: under a revoked key. */
struct http_answer click_work(struct site *site, const struct request *request, const struct route *route, struct db *db);

#endif
