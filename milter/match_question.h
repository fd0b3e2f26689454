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

/* A connection that stands, to be given back to filter->databases; NULL when the database is away or time is up. */
struct db *match_question_database(const struct match_question *question);

#endif
