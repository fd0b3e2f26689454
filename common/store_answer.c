/* SPDX-License-Identifier: BSD-2-Clause */
/* store_answer - see store_answer.h */

#include "common/store_answer.h"

/* Ordered, so that two loaders with the same answers do not wait for each other. */
const struct db_statement store_insert_answers = {
    "insert_answers",
    "insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence,"
    "  answerer, from_address, envelope_sender, subject, message_id, host, queue_id, about, status, hard, effect,"
    "  text)"
    " select message, decode(digest, 'hex'), spoor.from_microseconds(at), record, spool, recipient, answerer_key,"
    "  class::spoor.answer_class, rung::spoor.answer_rung, confidence::spoor.answer_confidence, answerer::spoor.answerer,"
    "  from_address, envelope_sender, subject, message_id, host, queue_id, about, status, hard::boolean, effect::boolean,"
    "  text"
    " from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::integer[], $7::integer[],"
    "  $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],"
    "  $17::text[], $18::text[], $19::text[], $20::text[], $21::integer[], $22::text[]) as row (message, digest, at, record, spool, recipient,"
    "  answerer_key, class, rung, confidence, answerer, from_address, envelope_sender, subject, message_id, host, queue_id,"
    "  about, status, hard, effect, text)"
    " order by message, digest, record on conflict (message, digest) do nothing returning record", STORE_ANSWER_COLUMNS};

void store_answer_row(struct row_set *row, const struct record_answer *answer, int32_t spool, const struct store_event *event)
{
    static const char *const hard[] = {[HARD_UNKNOWN] = "", [HARD_NO] = "no", [HARD_YES] = "yes"};

    row_set_integer(row, (int64_t)answer->message);
    row_set_hex(row, answer->digest, sizeof answer->digest);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, spool);
    row_set_integer(row, (int32_t)answer->recipient);
    row_set_integer(row, (int32_t)answer->answerer_key);
    row_set_text(row, slice_str(answer_class_name(answer->class_)));
    row_set_text(row, slice_str(answer_rung_name(answer->rung)));
    row_set_text(row, slice_str(answer_confidence_name(answer->confidence)));
    row_set_text(row, slice_str(answer_answerer_name(answer->answerer)));
    row_set_text_or_null(row, answer->from);
    row_set_text_or_null(row, answer->envelope_sender);
    row_set_text_or_null(row, answer->subject);
    row_set_text_or_null(row, answer->message_id);
    row_set_text_or_null(row, answer->host);
    row_set_text_or_null(row, answer->queue_id);
    row_set_text_or_null(row, answer->about);
    row_set_text_or_null(row, answer->status);
    row_set_text_or_null(row, slice_str(hard[answer->hard]));
    row_set_integer(row, answer->effect);
    row_set_text_or_null(row, answer->text);
}
