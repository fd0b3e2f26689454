/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite - what is changed in the body of a mail, as a list of splices.
 *
 * Pure: bytes and settings in, edits and a new body out. Every byte outside an edit stays as it was;
 * nothing is ever parsed and serialised again. Only a base64 part that is edited is encoded anew, alone,
 * with its own line length. Time is linear in the size of the body, memory at most three times its size.
 */
#ifndef MAIL_REWRITE_H
#define MAIL_REWRITE_H

#include "mail/header.h"
#include "mail/rewrite_terms.h"

/* False only without memory; RESULT is then empty. Free it in any case. */
bool rewrite(const struct header_list *headers, struct slice body, const struct rewrite_settings *settings,
             struct rewrite_result *result);
void rewrite_result_free(struct rewrite_result *result);

const char *rewrite_fate_name(enum rewrite_fate fate); /* the word in logs and in --explain */

#endif
