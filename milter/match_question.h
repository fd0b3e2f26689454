/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * match_question - the questions that one mail asks while it waits: they share one deadline.
 *
 * A database that hangs holds no mail longer than database_timeout, whatever is asked.
 */
#ifndef MILTER_MATCH_QUESTION_H
#define MILTER_MATCH_QUESTION_H

#include "milter/match_filter.h"

struct match_question {
    struct match_filter *filter;
    int64_t until_ms; /* CLOCK_MONOTONIC */
};

struct match_question match_question_begin(struct match_filter *filter);

/* 0: time is up. */
int match_question_left_ms(const struct match_question *question);

/* A connection that stands to the server that has this mail of ours, to be given back; NULL when it is away or time is up. */
struct db *match_question_take(const struct match_question *question, uint64_t message);
void match_question_give(const struct match_question *question, uint64_t message, struct db *db); /* NULL is fine */

#endif
