/* SPDX-License-Identifier: BSD-2-Clause */
/* match_text - keeps the text of a reply when a sink wants it, or the configuration does. */
#ifndef MILTER_MATCH_TEXT_H
#define MILTER_MATCH_TEXT_H

#include "mail/incoming.h"
#include "milter/match_question.h"

enum { MATCH_TEXT_MAX = 16 * 1024 };

/*
 * Adds the text to TEXT, which has room for MATCH_TEXT_MAX. Asks the database each time, for replies are rare and the answer may
 * change at any moment; while it is away what it said last holds, and before it said anything nothing is kept.
 */
void match_text(const struct match_question *question, const struct mlfi_message *message, const struct incoming_verdict *verdict,
                struct buf *text);

#endif
