/* SPDX-License-Identifier: BSD-2-Clause */
/* any payload; and what decodes comes back the same when it is encoded and decoded again */

#include "common/record.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 1 << 20 };

/* What was encoded from the decoded payload must be its beginning: one record has one spelling. */
static void expect_beginning(struct slice payload, struct buf *again, bool encoded)
{
    if (!encoded || again->len > payload.len || memcmp(again->data, payload.p, again->len) != 0)
        abort();
    buf_reset(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice payload = slice_of((const char *)data, size);
    struct record_message message;
    struct record_hit hit;
    struct record_answer answer;
    struct record_stop stop;
    struct record_unsubscribe unsubscribe;
    struct record_copy copy;
    struct record_delivery delivery;
    struct buf again;

    buf_init(&again, CAP);
    if (record_message_decode(payload, &message)) {
        expect_beginning(payload, &again, record_message_encode(&message, &again));
        record_message_free(&message);
    }
    if (record_hit_decode(payload, &hit) && hit.user_agent.len <= USER_AGENT_MAX)
        expect_beginning(payload, &again, record_hit_encode(&hit, &again));
    if (record_answer_decode(payload, &answer))
        expect_beginning(payload, &again, record_answer_encode(&answer, &again));
    if (record_stop_decode(payload, &stop))
        expect_beginning(payload, &again, record_stop_encode(&stop, &again));
    if (record_unsubscribe_decode(payload, &unsubscribe))
        expect_beginning(payload, &again, record_unsubscribe_encode(&unsubscribe, &again));
    if (record_copy_decode(payload, &copy))
        expect_beginning(payload, &again, record_copy_encode(&copy, &again));
    if (record_delivery_decode(payload, &delivery) && delivery.text.len <= DELIVERY_TEXT_MAX)
        expect_beginning(payload, &again, record_delivery_encode(&delivery, &again));
    buf_free(&again);
    return 0;
}
