/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kept_text - the last text that the database gave of something, kept beside the spool, so that a start without it knows it.
 *
 * The file is called as what it holds: NAME. A line "spoor NAME 1 CHECKSUM" (CRC-32C of all behind it, eight
 * hexadecimal digits), then the text.
 */
#ifndef COMMON_KEPT_TEXT_H
#define COMMON_KEPT_TEXT_H

#include "common/buf.h"

#include <stdbool.h>

enum { KEPT_TEXT_MAX = 64 * 1024 * 1024 };

/* DIRECTORY is the spool's. False with errno; ENOENT: there is none yet; EBADMSG: it is damaged. */
bool kept_text_read(const char *directory, const char *name, struct buf *text);
bool kept_text_write(const char *directory, const char *name, struct slice text);

/* Of a file's content: the text in it, false when it is damaged. Pure. */
bool kept_text_of(const char *name, struct slice content, struct slice *text);

#endif
