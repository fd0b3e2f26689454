/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_read - from a line of a mail log to what it says: the head that all share, then by who wrote it. Pure.
 *
 * That is told by its tag: "postfix/smtp[7]" is Postfix's, "sm-mta[7]" or "sendmail[7]" is Sendmail's. Another MTA is
 * another file beside line_postfix.c and a line in line_read().
 */
#ifndef DELIVERY_LINE_READ_H
#define DELIVERY_LINE_READ_H

#include "delivery/line.h"

/* TEXT is one line without its end. */
void line_read(struct slice text, struct log_line *line);

#endif
