/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules_file - the last rules that the database gave, kept beside the spool, so that a start without it knows them.
 *
 * A line "spoor rules 1 CHECKSUM" (CRC-32C of all behind it, eight hexadecimal digits), then the text of rules.h.
 */
#ifndef PIXELD_RULES_FILE_H
#define PIXELD_RULES_FILE_H

#include "common/buf.h"

#include <stdbool.h>

/* DIRECTORY is the spool's. False with errno; ENOENT: there is none yet; EBADMSG: it is damaged. */
bool rules_file_read(const char *directory, struct buf *text);
bool rules_file_write(const char *directory, struct slice text);

/* Of a file's content: the text in it, false when it is damaged. Pure. */
bool rules_file_text(struct slice content, struct slice *text);

#endif
