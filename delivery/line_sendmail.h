/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_sendmail - Sendmail's lines
 *
 * "to=<a@x>,<b@x>, ctladdr=..., delay=..., mailer=esmtp, relay=mx.x. [192.0.2.1], dsn=5.1.1, reply=550 no, stat=User
 * unknown". Its last field is the state, in its own words; the other server's are in front of it, unless it took the mail.
 */
#ifndef DELIVERY_LINE_SENDMAIL_H
#define DELIVERY_LINE_SENDMAIL_H

#include "delivery/line.h"

/* REST is what stands behind "queue id: ". LINE has its head and queue id. */
void line_read_sendmail(struct slice rest, struct log_line *line);

#endif
