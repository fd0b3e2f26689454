/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notice - a mail that tells a sender what happened to his mails (RFC 5322), or what did in a day.
 *
 * It says that a program wrote it (RFC 3834) and that it is not to be tracked. No token of ours is in it, so nobody takes it for an
 * answer. Pure ASCII, lines end in CRLF. Pure.
 */
#ifndef RELAY_NOTICE_H
#define RELAY_NOTICE_H

#include "relay/event.h"
#include "common/buf.h"

#include <time.h>

/* FROM: an address. False when OUT has no room. */
bool notice_write(const struct event *event, const char *from, time_t now, struct buf *out);

#endif
