/* SPDX-License-Identifier: BSD-2-Clause */
/* any payload; and what decodes comes back the same when it is encoded and decoded again */

#include "common/record.h"
#include "common/record_document.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 1 << 20, ANSWER_GROWN = 2 * 2 + 2 };

/*
 * What was encoded from the decoded payload must be its beginning: one record has one spelling. GROWN bytes at its end an
 * older payload lacks.
 */
static void expect_beginning(struct slice payload, struct buf *again, bool encoded, size_t grown)
{
    size_t len = again->len > payload.len && again->len - payload.len == grown ? payload.len : again->len;

    if (!encoded || len > payload.len || memcmp(again->data, payload.p, len) != 0)
        abort();
    buf_reset(again);
}

/* Does the hit at the beginning of PAYLOAD fill its length, as ours do? */
static bool is_spelled_out(const struct record_hit *hit, struct slice payload)
{
    return hit->user_agent.len <= USER_AGENT_MAX
           && hit->raw.p + hit->raw.len == payload.p + 2 + (size_t)((uint8_t)payload.p[0] | (uint8_t)payload.p[1] << 8);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice payload = slice_of((const char *)data, size);
    struct record_message message;
    struct record_hit hit;
    struct record_answer answer;
    struct record_stop stop;
    struct record_unsubscribe unsubscribe;
    struct record_refusal refusal;
    struct record_copy copy;
    struct record_delivery delivery;
    struct record_document document;
    struct record_beacon beacon;
    struct buf again;

    buf_init(&again, CAP);
    if (record_message_decode(payload, &message)) {
        expect_beginning(payload, &again, record_message_encode(&message, &again), 0);
        record_message_free(&message);
    }
    if (record_hit_decode(payload, &hit) && hit.user_agent.len <= USER_AGENT_MAX)
        expect_beginning(payload, &again, record_hit_encode(&hit, &again), 0);
    if (record_answer_decode(payload, &answer))
        expect_beginning(payload, &again, record_answer_encode(&answer, &again), ANSWER_GROWN);
    if (record_stop_decode(payload, &stop))
        expect_beginning(payload, &again, record_stop_encode(&stop, &again), 0);
    if (record_refusal_decode(payload, &refusal))
        expect_beginning(payload, &again, record_refusal_encode(&refusal, &again), 0);
    if (record_unsubscribe_decode(payload, &unsubscribe))
        expect_beginning(payload, &again, record_unsubscribe_encode(&unsubscribe, &again), 0);
    if (record_copy_decode(payload, &copy))
        expect_beginning(payload, &again, record_copy_encode(&copy, &again), 0);
    if (record_delivery_decode(payload, &delivery) && delivery.text.len <= DELIVERY_TEXT_MAX)
        expect_beginning(payload, &again, record_delivery_encode(&delivery, &again), 0);
    if (record_document_decode(payload, &document) && is_spelled_out(&document.hit, payload))
        expect_beginning(payload, &again, record_document_encode(&document, &again), 0);
    if (record_beacon_decode(payload, &beacon) && is_spelled_out(&beacon.hit, payload))
        expect_beginning(payload, &again, record_beacon_encode(&beacon, &again), 0);
    buf_free(&again);
    return 0;
}
