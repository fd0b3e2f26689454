/* SPDX-License-Identifier: BSD-2-Clause */
/* record_answer - the bytes of a mail that refers to one of ours */

#include "common/record.h"

#include "common/record_bytes.h"

/*
 * answer: u64 message, u32 recipient, i64 time_us, u8 class, u8 rung, u8 confidence, u8 answerer, u32
 * answerer_key, 32 bytes digest, texts from envelope_sender subject message_id host queue_id; since then also
 * texts about status, u8 hard, u8 effect; and then, if there is one, text text
 */
bool record_answer_encode(const struct record_answer *answer, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, answer->message);
    put_u32(out, answer->recipient);
    put_u64(out, (uint64_t)answer->time_us);
    put_u8(out, answer->class_);
    put_u8(out, answer->rung);
    put_u8(out, answer->confidence);
    put_u8(out, answer->answerer);
    put_u32(out, answer->answerer_key);
    buf_add(out, answer->digest, sizeof answer->digest);
    put_text(out, answer->from);
    put_text(out, answer->envelope_sender);
    put_text(out, answer->subject);
    put_text(out, answer->message_id);
    put_text(out, answer->host);
    put_text(out, answer->queue_id);
    put_text(out, answer->about);
    put_text(out, answer->status);
    put_u8(out, answer->hard);
    put_u8(out, answer->effect);
    if (answer->text.len)
        put_text(out, answer->text);
    return put_done(out, start);
}

/* What a delivery report says; records of the first version lack it. */
static void take_report(struct record_input *in, struct record_answer *answer)
{
    answer->about = take_text(in);
    answer->status = take_text(in);
    answer->hard = take_word(in, HARD_UNKNOWN, HARD_YES);
    answer->effect = take_word(in, false, true);
}

bool record_answer_decode(struct slice payload, struct record_answer *answer)
{
    struct record_input in = {payload, false};

    *answer = (struct record_answer){0};
    answer->message = take_u64(&in);
    answer->recipient = take_u32(&in);
    answer->time_us = (int64_t)take_u64(&in);
    answer->class_ = take_word(&in, ANSWER_NONE, ANSWER_REPLY);
    answer->rung = take_word(&in, RUNG_NONE, RUNG_BOUNCE_ADDRESS);
    answer->confidence = take_word(&in, CONFIDENCE_NONE, CONFIDENCE_HIGH);
    answer->answerer = take_word(&in, ANSWERER_UNKNOWN, ANSWERER_OTHER);
    answer->answerer_key = take_u32(&in);
    take_bytes(&in, answer->digest, sizeof answer->digest);
    answer->from = take_text(&in);
    answer->envelope_sender = take_text(&in);
    answer->subject = take_text(&in);
    answer->message_id = take_text(&in);
    answer->host = take_text(&in);
    answer->queue_id = take_text(&in);
    if (in.rest.len)
        take_report(&in, answer);
    if (in.rest.len)
        answer->text = take_text(&in);
    return !in.bad;
}
