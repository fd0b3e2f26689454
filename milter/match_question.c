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
    return clock_left_ms(question->until_ms);
}

struct db *match_question_take(const struct match_question *question, uint64_t message)
{
    return db_pool_wait(shard_pools_of(&question->filter->databases, message), match_question_left_ms(question));
}

void match_question_give(const struct match_question *question, uint64_t message, struct db *db)
{
    db_pool_give(shard_pools_of(&question->filter->databases, message), db);
}
