/* SPDX-License-Identifier: BSD-2-Clause */
/* match_unsubscribe - see match_unsubscribe.h */

#include "milter/match_unsubscribe.h"

#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "milter/mail_record.h"
#include "milter/match_stop.h"

#include <inttypes.h>

static bool spool_unsubscribe(struct match_filter *filter, const struct record_unsubscribe *unsubscribe)
{
    struct buf payload;
    bool written;

    buf_init(&payload, RECORD_BYTES_MAX);
    record_unsubscribe_encode(unsubscribe, &payload);
    written = mail_record_write(filter->recorder, RECORD_UNSUBSCRIBE, &payload);
    buf_free(&payload);
    return written;
}

void match_unsubscribe(const struct match_question *question, const struct unsubscribe_request *request)
{
    static const char *const effect[] = {[STORE_YES] = "yes", [STORE_NO] = "no", [STORE_AWAY] = "later"};
    struct match_filter *filter = question->filter;
    struct db *db = match_question_take(question, request->message);
    struct record_unsubscribe unsubscribe = {
        .message = request->message,
        .recipient = request->recipient ? request->recipient : keys_recipient(filter->keys, slice_str(request->from)),
        .time_us = clock_wall_us(),
        .way = UNSUBSCRIBE_MAIL,
        .everywhere = filter->conf->unsubscribe_scope == UNSUBSCRIBE_ALL,
        .address = slice_str(request->from),
    };
    enum store_answer answer = STORE_AWAY;
    bool written;

    if (db && match_question_left_ms(question) > 0)
        answer = store_unsubscribe(db, &unsubscribe, match_question_left_ms(question));
    if (answer == STORE_YES)
        match_found(question, request->message, db);
    match_question_give(question, request->message, db);
    if (answer == STORE_AWAY)
        match_unsettled(filter);
    written = spool_unsubscribe(filter, &unsubscribe);
    log_info("unsubscribe=taken message=%" PRIu64 " whom=<%s> effect=%s%s", request->message, request->from,
             effect[answer], written ? "" : " reason=not_recorded");
}
