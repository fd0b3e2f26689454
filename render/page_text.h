/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * page_text - the words of a page, fit to be stored and shown.
 *
 * Pure. UTF-8 (RFC 3629) without control characters but newlines, without marks that turn the direction of what
 * follows, without runs of blanks, without more than one empty line in a row, at most PAGE_TEXT_MOST bytes, cut between
 * characters.
 */
#ifndef RENDER_PAGE_TEXT_H
#define RENDER_PAGE_TEXT_H

#include "common/buf.h"

enum { PAGE_TEXT_MOST = 64 * 1024 };

/* False when OUT has failed. */
bool page_text_clean(struct slice text, struct buf *out);

#endif
