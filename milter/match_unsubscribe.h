/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_unsubscribe - a mail by which somebody unsubscribes: in the database before spoor-match accepts it.
 *
 * It goes to the spool in any case, for the event, and that it takes effect later when the database is away. The mail itself
 * is delivered on as it is.
 */
#ifndef MILTER_MATCH_UNSUBSCRIBE_H
#define MILTER_MATCH_UNSUBSCRIBE_H

#include "mail/unsubscribe_request.h"
#include "milter/match_question.h"

/* Logs one line. */
void match_unsubscribe(const struct match_question *question, const struct unsubscribe_request *request);

#endif
