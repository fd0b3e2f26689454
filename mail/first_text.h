/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * first_text - the beginning of what a reader sees first in a mail, as plain UTF-8.
 *
 * The first text/plain or text/html part that is no attachment. Of HTML the words alone are kept, a line for a
 * block. Text whose charset is not known is taken as it is. Pure.
 */
#ifndef MAIL_FIRST_TEXT_H
#define MAIL_FIRST_TEXT_H

#include "mail/header.h"

enum { FIRST_TEXT_READ = 16 * 1024 /* bytes of the part, as it is encoded, that are looked at */ };

/* False only without memory. Without such a part OUT stays empty. */
bool first_text_read(const struct header_list *headers, struct slice body, struct buf *out);

#endif
