/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * courier - mails sign-in links through the local MTA (SMTP, RFC 5321), from a thread of its own with a short queue.
 *
 * Whoever asks never waits, and never learns whether a mail went.
 */
#ifndef PIXELD_COURIER_H
#define PIXELD_COURIER_H

#include "common/buf.h"

struct courier;

/* SERVER is HOST:PORT of the local MTA. NULL with ERROR. */
struct courier *courier_start(const char *server, struct buf *error);
void courier_stop(struct courier *courier); /* what waits is given up; NULL is fine */

/* Mails LINK to ADDRESS; both are copied. Dropped, and logged, when the queue is full. */
void courier_send(struct courier *courier, const char *address, const char *link);

#endif
