/* SPDX-License-Identifier: BSD-2-Clause */
/* match_question - see match_question.h */

#include "common/clock.h"
#include "milter/match_question.h"

struct match_question match_question_begin(struct match_filter *filter)
{
    return (struct match_question){
        .filter = filter, .until_ms = clock_monotonic_ms() + filter->conf->database_timeout_ms};
}

int match_question_left_ms(const struct match_question *question)
{
    int64_t left = question->until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

struct db *match_question_database(const struct match_question *question)
{
    struct db_pool *databases = question->filter->databases;
    struct db *db = db_pool_wait(databases, match_question_left_ms(question));

    if (db && !db_connect(db, match_question_left_ms(question))) {
        db_pool_give(databases, db);
        db = NULL;
    }
    return db;
}
