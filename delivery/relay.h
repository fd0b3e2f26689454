/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay - the server that a mail was handed to, and the id that this one gave it. Pure.
 */
#ifndef DELIVERY_RELAY_H
#define DELIVERY_RELAY_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>

struct relay {
    struct slice host;    /* no final dot; empty: none or unknown */
    struct slice address; /* IPv4 or IPv6; empty: not by TCP */
};

/* Of "mx.example[192.0.2.1]:25" (Postfix) or "mx.example. [192.0.2.1]" (Sendmail); "local" and "none" name no host. */
struct relay relay_of(struct slice text);

/*
 * The Message-ID under which the next server sends the mail on, when its answer tells: "<id@host>" of Exchange and
 * its like, and the bare id of Amazon SES, to which its region's domain belongs. False when it tells none: what others
 * call "queued as" is no Message-ID, and some repeat the RECIPIENT in brackets.
 */
bool relay_assigned_id(const struct relay *relay, struct slice answer, struct slice recipient, struct buf *id);

#endif
