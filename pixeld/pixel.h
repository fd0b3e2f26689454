/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pixel - /o/TOKEN.gif: a mail was viewed.
 *
 * Whatever the token, the answer is a picture, so that no mail ever shows a broken one.
 */
#ifndef PIXELD_PIXEL_H
#define PIXELD_PIXEL_H

#include "pixeld/route.h"
#include "pixeld/site.h"

struct http_answer pixel_answer(struct site *site, const struct request *request,
                                const struct route *route);

#endif
