/* SPDX-License-Identifier: BSD-2-Clause */
/* match_text - see match_text.h */

#include "milter/match_text.h"

#include "common/log.h"
#include "common/store_outbox.h"
#include "mail/reply_text.h"

#include <stdatomic.h>

_Static_assert((int)MATCH_TEXT_MAX == (int)REPLY_TEXT_MAX && (int)REPLY_TEXT_MAX == (int)ANSWER_TEXT_MAX, "one length");

static bool is_wanted(const struct match_question *question, uint64_t message)
{
    static atomic_bool wanted_last; /* of this process: the rules are the same on every server */
    struct db *db = match_question_take(question, message);
    enum store_answer answer = STORE_AWAY;

    if (db) {
        answer = store_wants_reply_text(db, match_question_left_ms(question));
        match_question_give(question, message, db);
    }
    if (answer != STORE_AWAY)
        atomic_store(&wanted_last, answer == STORE_YES);
    return atomic_load(&wanted_last);
}

void match_text(const struct match_question *question, const struct mlfi_message *message, const struct incoming_verdict *verdict,
                struct buf *text)
{
    if (verdict->class_ != ANSWER_REPLY || message->body_missing)
        return;
    if (!question->filter->conf->match.keep_reply_text && !is_wanted(question, verdict->message))
        return;
    if (!reply_text_read(&message->headers, buf_slice(&message->body), text))
        log_warn("no memory for the text of a reply: it is recorded without");
}
