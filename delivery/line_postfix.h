/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_postfix - Postfix's lines
 *
 * The delivery agents share one form: "to=<a>, orig_to=<b>, relay=..., delay=..., dsn=2.0.0, status=sent (250 Ok)".
 */
#ifndef DELIVERY_LINE_POSTFIX_H
#define DELIVERY_LINE_POSTFIX_H

#include "delivery/line.h"

/* SERVICE is "smtp" of "postfix/smtp[7]", REST what stands behind "queue id: ". LINE has its head and queue id. */
void line_read_postfix(struct slice service, struct slice rest, struct log_line *line);

#endif
