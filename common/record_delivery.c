/* SPDX-License-Identifier: BSD-2-Clause */
/* record_delivery - the bytes of a line of the MTA's log */

#include "common/record.h"

#include "common/record_bytes.h"

/*
 * delivery: u8 state, i64 time_us, u8 tls, texts host queue_id first recipient original relay relay_address status text
 * goes_on_as assigned_id
 */
bool record_delivery_encode(const struct record_delivery *delivery, struct buf *out)
{
    size_t start = out->len;
    struct slice text = delivery->text;

    if (text.len > DELIVERY_TEXT_MAX)
        text.len = DELIVERY_TEXT_MAX;
    put_u8(out, delivery->state);
    put_u64(out, (uint64_t)delivery->time_us);
    put_u8(out, delivery->tls);
    put_text(out, delivery->host);
    put_text(out, delivery->queue_id);
    put_text(out, delivery->first);
    put_text(out, delivery->recipient);
    put_text(out, delivery->original);
    put_text(out, delivery->relay);
    put_text(out, delivery->relay_address);
    put_text(out, delivery->status);
    put_text(out, text);
    put_text(out, delivery->goes_on_as);
    put_text(out, delivery->assigned_id);
    return put_done(out, start);
}

bool record_delivery_decode(struct slice payload, struct record_delivery *delivery)
{
    struct record_input in = {payload, false};

    *delivery = (struct record_delivery){0};
    delivery->state = take_word(&in, DELIVERY_COPY, DELIVERY_EXPIRED);
    delivery->time_us = (int64_t)take_u64(&in);
    delivery->tls = take_word(&in, false, true);
    delivery->host = take_text(&in);
    delivery->queue_id = take_text(&in);
    delivery->first = take_text(&in);
    delivery->recipient = take_text(&in);
    delivery->original = take_text(&in);
    delivery->relay = take_text(&in);
    delivery->relay_address = take_text(&in);
    delivery->status = take_text(&in);
    delivery->text = take_text(&in);
    delivery->goes_on_as = take_text(&in);
    delivery->assigned_id = take_text(&in);
    return !in.bad;
}
