/* SPDX-License-Identifier: BSD-2-Clause */
/* record_hit - the bytes of a view or click */

#include "common/record.h"

#include "common/record_bytes.h"

/*
 * hit: u8 kind, u64 message, u32 recipient, u16 index, i64 time_us, u8 verdict, u8 address bytes and those,
 * texts reason user_agent raw; then, if one came with it, 16 bytes of device
 */
bool record_hit_encode(const struct record_hit *hit, struct buf *out)
{
    size_t start = out->len;
    struct slice agent = hit->user_agent;

    if (agent.len > USER_AGENT_MAX)
        agent.len = USER_AGENT_MAX;
    put_u8(out, hit->kind);
    put_u64(out, hit->message);
    put_u32(out, hit->recipient);
    put_u16(out, hit->index);
    put_u64(out, (uint64_t)hit->time_us);
    put_u8(out, hit->verdict);
    put_u8(out, hit->address_bytes);
    buf_add(out, hit->address, hit->address_bytes);
    put_text(out, hit->reason);
    put_text(out, agent);
    put_text(out, hit->raw);
    if (hit->has_device)
        buf_add(out, hit->device, sizeof hit->device);
    return put_done(out, start);
}

bool record_hit_decode(struct slice payload, struct record_hit *hit)
{
    struct record_input in = {payload, false};

    *hit = (struct record_hit){0};
    hit->kind = take_word(&in, HIT_VIEW, HIT_CLICK);
    hit->message = take_u64(&in);
    hit->recipient = take_u32(&in);
    hit->index = take_u16(&in);
    hit->time_us = (int64_t)take_u64(&in);
    hit->verdict = take_word(&in, VERDICT_UNKNOWN, VERDICT_SELF);
    hit->address_bytes = take_u8(&in);
    if (hit->address_bytes != 0 && hit->address_bytes != 4 && hit->address_bytes != 16)
        return false;
    take_bytes(&in, hit->address, hit->address_bytes);
    hit->reason = take_text(&in);
    hit->user_agent = take_text(&in);
    hit->raw = take_text(&in);
    hit->has_device = !in.bad && in.rest.len >= sizeof hit->device;
    if (hit->has_device)
        take_bytes(&in, hit->device, sizeof hit->device);
    return !in.bad;
}
