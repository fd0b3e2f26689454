/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * markup - foreign text in HTML that we write. Pure.
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

#endif
