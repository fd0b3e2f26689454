/* SPDX-License-Identifier: BSD-2-Clause */
/* record_message - the bytes of a tracked mail and of its copies */

#include "common/record.h"

#include "common/record_bytes.h"

#include <stdlib.h>

/*
 * message: u64 id, i64 time_us, u8 level, u8 pixels, u64 size, texts owner sender envelope_sender subject
 * sent_message_id client_message_id campaign host queue_id, u32 recipients of (u32 key, text address),
 * u32 links of (u16 index, text destination), u32 sent_to, u8 bytes of submitted_from and those
 */
bool record_message_encode(const struct record_message *message, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, message->id);
    put_u64(out, (uint64_t)message->time_us);
    put_u8(out, message->level);
    put_u8(out, message->pixels);
    put_u64(out, message->size);
    put_text(out, message->owner);
    put_text(out, message->sender);
    put_text(out, message->envelope_sender);
    put_text(out, message->subject);
    put_text(out, message->sent_message_id);
    put_text(out, message->client_message_id);
    put_text(out, message->campaign);
    put_text(out, message->host);
    put_text(out, message->queue_id);
    put_u32(out, (uint32_t)message->recipients);
    for (size_t n = 0; n < message->recipients; n++) {
        put_u32(out, message->recipient[n].key);
        put_text(out, message->recipient[n].address);
    }
    put_u32(out, (uint32_t)message->links);
    for (size_t n = 0; n < message->links; n++) {
        put_u16(out, message->link[n].index);
        put_text(out, message->link[n].destination);
    }
    put_u32(out, message->sent_to);
    put_u8(out, message->submitted_from_bytes);
    buf_add(out, message->submitted_from, message->submitted_from_bytes);
    return put_done(out, start);
}

static void take_recipients(struct record_input *in, struct record_message *message)
{
    size_t count = take_count(in, sizeof(uint32_t) + sizeof(uint16_t));

    if (count == 0)
        return;
    message->recipient = calloc(count, sizeof *message->recipient);
    if (!message->recipient) {
        in->bad = true;
        return;
    }
    message->recipients = count;
    for (size_t n = 0; n < count; n++) {
        message->recipient[n].key = take_u32(in);
        message->recipient[n].address = take_text(in);
    }
}

static void take_links(struct record_input *in, struct record_message *message)
{
    size_t count = take_count(in, sizeof(uint16_t) + sizeof(uint16_t));

    if (count == 0)
        return;
    message->link = calloc(count, sizeof *message->link);
    if (!message->link) {
        in->bad = true;
        return;
    }
    message->links = count;
    for (size_t n = 0; n < count; n++) {
        message->link[n].index = take_u16(in);
        message->link[n].destination = take_text(in);
    }
}

static void take_submitted_from(struct record_input *in, struct record_message *message)
{
    uint8_t bytes = take_u8(in);

    if (bytes != 0 && bytes != 4 && bytes != 16)
        in->bad = true;
    else
        take_bytes(in, message->submitted_from, bytes);
    message->submitted_from_bytes = in->bad ? 0 : bytes;
}

bool record_message_decode(struct slice payload, struct record_message *message)
{
    struct record_input in = {payload, false};

    *message = (struct record_message){0};
    message->id = take_u64(&in);
    message->time_us = (int64_t)take_u64(&in);
    message->level = take_word(&in, LEVEL_OFF, LEVEL_INDIVIDUAL);
    message->pixels = take_u8(&in);
    message->size = take_u64(&in);
    message->owner = take_text(&in);
    message->sender = take_text(&in);
    message->envelope_sender = take_text(&in);
    message->subject = take_text(&in);
    message->sent_message_id = take_text(&in);
    message->client_message_id = take_text(&in);
    message->campaign = take_text(&in);
    message->host = take_text(&in);
    message->queue_id = take_text(&in);
    take_recipients(&in, message);
    take_links(&in, message);
    message->sent_to = take_u32(&in);
    take_submitted_from(&in, message);
    if (in.bad)
        record_message_free(message);
    return !in.bad;
}

uint32_t record_message_key(const struct record_message *message, struct slice address)
{
    for (size_t at = 0; at < message->recipients; at++)
        if (slice_eq(message->recipient[at].address, address))
            return message->recipient[at].key;
    return 0;
}

void record_message_free(struct record_message *message)
{
    free(message->recipient);
    free(message->link);
    *message = (struct record_message){0};
}

/* copy: u64 message, u32 key, text address; then, if there is one, text original */
bool record_copy_encode(const struct record_copy *copy, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, copy->message);
    put_u32(out, copy->recipient.key);
    put_text(out, copy->recipient.address);
    if (copy->original.len)
        put_text(out, copy->original);
    return put_done(out, start);
}

bool record_copy_decode(struct slice payload, struct record_copy *copy)
{
    struct record_input in = {payload, false};

    *copy = (struct record_copy){.message = take_u64(&in)};
    copy->recipient.key = take_u32(&in);
    copy->recipient.address = take_text(&in);
    if (in.rest.len)
        copy->original = take_text(&in);
    return !in.bad;
}
