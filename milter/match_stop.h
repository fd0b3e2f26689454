/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_stop - an answer that ends a campaign: in the database before spoor-match accepts the answer.
 *
 * When the database is away the stop goes to the spool, ahead of the answer's record, and memcached tells spoor-stamp that
 * stops are on their way.
 */
#ifndef MILTER_MATCH_STOP_H
#define MILTER_MATCH_STOP_H

#include "milter/match_question.h"

/* Tells spoor-stamp that something is on its way to the database that campaigns must wait for. */
void match_unsettled(struct match_filter *filter);

/* What was found on the server that has the mail, DB, is told to the first before the answer is accepted. */
void match_found(const struct match_question *question, uint64_t message, struct db *db);

void match_stop(const struct match_question *question, const struct record_stop *stop);

#endif
