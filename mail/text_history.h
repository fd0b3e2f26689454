/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * text_history - where in a plain text the quoted history begins, and where the author's own text ends.
 *
 * Pure, linear in the text.
 */
#ifndef MAIL_TEXT_HISTORY_H
#define MAIL_TEXT_HISTORY_H

#include "common/slice.h"

/* Does all that follows this line belong to the mail that is answered? */
bool text_history_begins(struct slice line);

/*
 * Where something of the author's may be added: the line before which it goes, which is the signature's or the history's
 * first, or TEXT.len when it goes behind all there is (an answer below what it quotes, or no history).
 */
size_t text_history_place(struct slice text);

#endif
