/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_return - mail to a return path of ours goes on to who had sent the mail it names.
 *
 * Only a signed return path of a local domain is taken for one. Who is not known gives way to bounce_mailbox; without
 * that, and for whatever is forged, the recipient stays. Nothing goes to a return path or out of the local domains.
 */
#ifndef MILTER_MATCH_RETURN_H
#define MILTER_MATCH_RETURN_H

#include "milter/match_question.h"

/* Swaps each such recipient in the envelope, and no other. False when the MTA did not take it. */
bool match_return(const struct match_question *question, const struct mlfi_message *message);

#endif
