/* SPDX-License-Identifier: BSD-2-Clause */
/* any bytes as the lines of a mail log: what is recorded lies within them and can be encoded */

#include "delivery/follow.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CAP = 64 * 1024 }; /* the follower's: what does not fit would stop it */

static void encode(void *arg, const struct record_delivery *delivery)
{
    struct record_delivery again;
    struct buf *out = arg;

    buf_reset(out);
    if (delivery->state < DELIVERY_COPY || delivery->state > DELIVERY_EXPIRED || slice_empty(delivery->queue_id))
        abort();
    if (!record_delivery_encode(delivery, out) || !record_delivery_decode(buf_slice(out), &again))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t november_us = 1795244470 * (int64_t)1000000;
    static struct follow *follow;
    static struct buf out;
    struct slice rest = slice_of((const char *)data, size);

    if (!follow) {
        buf_init(&out, CAP);
        follow = follow_new(NULL, encode, &out);
    }
    while (follow && rest.len) {
        const char *end = memchr(rest.p, '\n', rest.len);
        struct slice line = slice_of(rest.p, end ? (size_t)(end - rest.p) : rest.len);

        follow_line(follow, line, november_us);
        rest = slice_from(rest, line.len + 1);
    }
    return 0;
}
