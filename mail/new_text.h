/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * new_text - what a person wrote in the plain text of an answer, without what was quoted.
 *
 * Lines behind ">", the line above them that says who wrote that and when, and all that follows a mark such as Outlook's block of
 * From, Sent, To and Subject, in the languages of mail programs. What stands between quoted lines is the person's own and stays. Pure.
 *
 * text_history.h asks something like it of outgoing mail, for another purpose: there a line that is taken for history by mistake
 * goes without a link of ours; here it would lose what somebody wrote, so marks have to be certain, and words of many languages count.
 */
#ifndef MAIL_NEW_TEXT_H
#define MAIL_NEW_TEXT_H

#include "common/buf.h"
#include "common/slice.h"

/* Adds the new text with LF at the ends of lines, no empty lines at its ends and never more than one within. False without room. */
bool new_text_cut(struct slice text, struct buf *out);

#endif
