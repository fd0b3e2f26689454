/* SPDX-License-Identifier: BSD-2-Clause */
/* record_campaign - the bytes of what ends a campaign for somebody */

#include "common/record.h"

#include "common/record_bytes.h"

/* stop: u64 message, u32 recipient, i64 time_us, u8 class, u8 others, i64 until_us, 32 bytes digest, text address */
bool record_stop_encode(const struct record_stop *stop, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, stop->message);
    put_u32(out, stop->recipient);
    put_u64(out, (uint64_t)stop->time_us);
    put_u8(out, stop->class_);
    put_u8(out, stop->others);
    put_u64(out, (uint64_t)stop->until_us);
    buf_add(out, stop->digest, sizeof stop->digest);
    put_text(out, stop->address);
    return put_done(out, start);
}

bool record_stop_decode(struct slice payload, struct record_stop *stop)
{
    struct record_input in = {payload, false};

    *stop = (struct record_stop){0};
    stop->message = take_u64(&in);
    stop->recipient = take_u32(&in);
    stop->time_us = (int64_t)take_u64(&in);
    stop->class_ = take_word(&in, ANSWER_NONE, ANSWER_REPLY);
    stop->others = take_word(&in, false, true);
    stop->until_us = (int64_t)take_u64(&in);
    take_bytes(&in, stop->digest, sizeof stop->digest);
    stop->address = take_text(&in);
    return !in.bad;
}

/*
 * refusal: u64 message, u32 recipient, i64 time_us, 32 bytes digest, texts campaign address reason owner sender subject
 * message_id host queue_id
 */
bool record_refusal_encode(const struct record_refusal *refusal, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, refusal->message);
    put_u32(out, refusal->recipient);
    put_u64(out, (uint64_t)refusal->time_us);
    buf_add(out, refusal->digest, sizeof refusal->digest);
    put_text(out, refusal->campaign);
    put_text(out, refusal->address);
    put_text(out, refusal->reason);
    put_text(out, refusal->owner);
    put_text(out, refusal->sender);
    put_text(out, refusal->subject);
    put_text(out, refusal->message_id);
    put_text(out, refusal->host);
    put_text(out, refusal->queue_id);
    return put_done(out, start);
}

bool record_refusal_decode(struct slice payload, struct record_refusal *refusal)
{
    struct record_input in = {payload, false};

    *refusal = (struct record_refusal){0};
    refusal->message = take_u64(&in);
    refusal->recipient = take_u32(&in);
    refusal->time_us = (int64_t)take_u64(&in);
    take_bytes(&in, refusal->digest, sizeof refusal->digest);
    refusal->campaign = take_text(&in);
    refusal->address = take_text(&in);
    refusal->reason = take_text(&in);
    refusal->owner = take_text(&in);
    refusal->sender = take_text(&in);
    refusal->subject = take_text(&in);
    refusal->message_id = take_text(&in);
    refusal->host = take_text(&in);
    refusal->queue_id = take_text(&in);
    return !in.bad;
}

/* unsubscribe: u64 message, u32 recipient, i64 time_us, u8 way, u8 everywhere, text address */
bool record_unsubscribe_encode(const struct record_unsubscribe *unsubscribe, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, unsubscribe->message);
    put_u32(out, unsubscribe->recipient);
    put_u64(out, (uint64_t)unsubscribe->time_us);
    put_u8(out, unsubscribe->way);
    put_u8(out, unsubscribe->everywhere);
    put_text(out, unsubscribe->address);
    return put_done(out, start);
}

bool record_unsubscribe_decode(struct slice payload, struct record_unsubscribe *unsubscribe)
{
    struct record_input in = {payload, false};

    *unsubscribe = (struct record_unsubscribe){0};
    unsubscribe->message = take_u64(&in);
    unsubscribe->recipient = take_u32(&in);
    unsubscribe->time_us = (int64_t)take_u64(&in);
    unsubscribe->way = take_word(&in, UNSUBSCRIBE_WEB, UNSUBSCRIBE_TRACKING);
    unsubscribe->everywhere = take_word(&in, false, true);
    unsubscribe->address = take_text(&in);
    return !in.bad;
}
