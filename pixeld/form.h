/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * form - what a form or a query says (application/x-www-form-urlencoded, WHATWG URL 5). Pure.
 */
#ifndef PIXELD_FORM_H
#define PIXELD_FORM_H

#include "common/buf.h"
#include "common/slice.h"

/* Adds TEXT decoded: '+' is a blank, %XX a byte. False, and nothing of use, for a NUL, a broken %XX or bytes that are no UTF-8. */
bool form_decode(struct slice text, struct buf *out);

/* The same for the first field NAME of BODY; false also when there is none. */
bool form_field(struct slice body, const char *name, struct buf *out);

#endif
