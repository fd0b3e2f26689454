/* SPDX-License-Identifier: BSD-2-Clause */
/* match_stop - see match_stop.h */

#include "common/log.h"
#include "common/store.h"
#include "milter/mail_record.h"
#include "milter/match_stop.h"

#include <inttypes.h>

enum { FOUND_MAX = 1024 * 1024 };

void match_unsettled(struct match_filter *filter)
{
    cache_set(filter->cache, 0, CACHE_CAMPAIGN, slice_str("unsettled"), slice_str("1"), (uint32_t)filter->conf->campaign_settle_s);
}

static void spool_stop(struct match_filter *filter, const struct record_stop *stop)
{
    struct buf payload;

    match_unsettled(filter);
    buf_init(&payload, RECORD_BYTES_MAX);
    record_stop_encode(stop, &payload);
    mail_record_write(filter->recorder, RECORD_STOP, &payload);
    buf_free(&payload);
}

/* The stop holds once the first server has it. */
static bool tell_first(const struct match_question *question, uint64_t message, struct db *db)
{
    struct db_pool *first = shard_pools_first(&question->filter->databases);
    enum store_answer answer;
    struct db *told;
    struct buf found;

    buf_init(&found, FOUND_MAX);
    answer = store_found_of(db, message, &found, match_question_left_ms(question));
    if (answer == STORE_YES && (told = db_pool_wait(first, match_question_left_ms(question)))) {
        answer = store_take_found(told, buf_text(&found), match_question_left_ms(question)) == STORE_YES ? STORE_NO : STORE_AWAY;
        db_pool_give(first, told);
    }
    buf_free(&found);
    return answer == STORE_NO;
}

void match_found(const struct match_question *question, uint64_t message, struct db *db)
{
    if (!shard_pools_is_first(&question->filter->databases, message) && !tell_first(question, message, db))
        match_unsettled(question->filter); /* the servers will tell each other */
}

void match_stop(const struct match_question *question, const struct record_stop *stop)
{
    struct db *db = match_question_take(question, stop->message);
    enum store_answer answer = STORE_AWAY;

    if (db && match_question_left_ms(question) > 0)
        answer = store_stop(db, stop, match_question_left_ms(question));
    if (answer == STORE_YES)
        match_found(question, stop->message, db);
    match_question_give(question, stop->message, db);
    if (answer == STORE_NO)
        return;
    log_info("stop=%s message=%" PRIu64 " whom=<%.*s>%s", answer_class_name(stop->class_), stop->message,
             SLICE_ARG(stop->address), answer == STORE_AWAY ? " spooled=yes" : "");
    if (answer == STORE_AWAY)
        spool_stop(question->filter, stop);
}
