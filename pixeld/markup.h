/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup - foreign text in HTML, URLs and CSV that we write. Pure.
 */
#ifndef PIXELD_MARKUP_H
#define PIXELD_MARKUP_H

#include "common/buf.h"
#include "common/slice.h"

/*
 * Adds TEXT so that it is only text, between tags and in an attribute between double quotes. Bytes that are no UTF-8 become
 * U+FFFD; control characters but tab and line feed are left out.
 */
bool markup_add_text(struct buf *out, struct slice text);

/* FORMAT with %s alone, each of which gets added so; NULL is no text. The rest stands as it is. */
void markup_f(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* TEXT as the value of a query's argument. */
void markup_argument(struct buf *out, const char *text);

/* TEXT as a field of RFC 4180, in quotes. What a spreadsheet would take for a formula has a ' before it. NULL is no text. */
void markup_csv(struct buf *out, const char *text);

#endif
