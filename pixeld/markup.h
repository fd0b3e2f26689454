/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup - foreign texts put where they do no harm: into HTML, a URL, a CSV file. Pure.
 */
#ifndef PIXELD_MARKUP_H
#define PIXELD_MARKUP_H

#include "common/buf.h"

/* TEXT as characters of HTML, also within an attribute in double quotes. NULL is "". */
void markup_text(struct buf *out, const char *text);

/* FORMAT with %s alone, each of which gets escaped; the rest stands as it is. */
void markup_f(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* TEXT as the value of a query's argument. */
void markup_argument(struct buf *out, const char *text);

/* TEXT as a field of RFC 4180, in quotes. What a spreadsheet would take for a formula has a ' before it. */
void markup_csv(struct buf *out, const char *text);

#endif
