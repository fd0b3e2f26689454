/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_part - a text of a mail as UTF-8, and the words of HTML.
 *
 * Text whose charset is not known, or not what it says, is taken as it is: bytes are better than nothing. Pure.
 */
#ifndef MAIL_TEXT_PART_H
#define MAIL_TEXT_PART_H

#include "mail/html.h"
#include "mail/mime.h"
#include "common/buf.h"

/* Adds what the first MOST bytes of the part hold, as it is encoded in BODY. False only without memory or room. */
bool text_part_read(const struct mime_part *part, struct slice body, size_t most, struct buf *out);

/* Adds a run of text of a page, references resolved. SCRATCH has room for it. */
void text_part_add_words(struct slice text, struct buf *scratch, struct buf *out);

/* Does this tag begin a new line? */
bool text_part_is_block(const struct html_token *token);

#endif
