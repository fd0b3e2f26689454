/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unsubscribe - /u/TOKEN and /s/TOKEN: GET shows a page with a button, POST acts (RFC 8058); the second stops tracking.
 *
 * Nothing acts on GET, for scanners follow every link. Any POST does, whatever its body: a mail program sends
 * "List-Unsubscribe=One-Click" without cookies or origin, the page's own button an empty form. The token stands for one
 * recipient of one mail. It is answered when the record is as safe as a hit's. What cannot be recorded, or is signed with a
 * key that is not here yet, is told to come again: nobody shall believe in what was not done. A revoked key is no reason to
 * refuse: to take the wish of somebody who did not utter it can be mended, to go on after it cannot.
 */
#ifndef PIXELD_UNSUBSCRIBE_H
#define PIXELD_UNSUBSCRIBE_H

#include "pixeld/route.h"
#include "pixeld/site.h"

struct http_answer unsubscribe_answer(struct site *site, const struct request *request, const struct route *route);

#endif
