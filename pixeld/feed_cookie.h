/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_cookie - the two cookies of the feed (RFC 6265). Pure.
 *
 * The session's is the key to the feed: it goes only with requests from our own pages and links. The device's grants
 * nothing; it goes with pictures in other sites' pages too, so that they are known as the sender's own views. Both are
 * bound to our host (__Host-) where the site is reached by https; by http, on this machine, browsers refuse that.
 */
#ifndef PIXELD_FEED_COOKIE_H
#define PIXELD_FEED_COOKIE_H

#include "common/buf.h"
#include "pixeld/request.h"

#include <stdint.h>

enum feed_cookie { FEED_COOKIE_SESSION, FEED_COOKIE_DEVICE };

/* The value, when it has the form of ours; else "". */
void feed_cookie_read(const struct request *request, enum feed_cookie which, bool secure, char *value, size_t size);

/* A value of Set-Cookie; an empty VALUE takes the cookie away. */
void feed_cookie_set(struct buf *out, enum feed_cookie which, bool secure, const char *value);

/* The device's 128 bits; false when the cookie did not come or is not of our form. */
bool feed_cookie_device(const struct request *request, bool secure, uint8_t device[16]);

#endif
