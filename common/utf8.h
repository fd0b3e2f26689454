/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8 - texts from mails made fit for the database: RFC 3629 and nothing else.
 *
 * Pure. Each byte that belongs to no valid sequence, and each NUL, becomes one U+FFFD.
 */
#ifndef COMMON_UTF8_H
#define COMMON_UTF8_H

#include "common/buf.h"

/* How many bytes the valid character at the start of S has; 0 when there is none, or it is a NUL. */
size_t utf8_character(struct slice s);

/* Adds TEXT to OUT, cleaned; false when OUT has failed. */
bool utf8_clean(struct slice text, struct buf *out);

#endif
