/* SPDX-License-Identifier: BSD-2-Clause */
/* parcel - an event on its way to a sink, and what became of it. */
#ifndef RELAY_PARCEL_H
#define RELAY_PARCEL_H

#include "relay/event.h"

enum parcel_outcome {
    PARCEL_LATER,   /* nothing was said about it; tried again without counting */
    PARCEL_AGAIN,   /* refused for now */
    PARCEL_SENT,
    PARCEL_DROPPED, /* the other side has no use for it */
    PARCEL_DEAD     /* refused for good */
};

enum { PARCEL_RESULT = 400 };

struct parcel {
    struct event event;
    enum parcel_outcome outcome;
    char result[PARCEL_RESULT]; /* what the other side said, or the number it gave */
};

void parcel_end(struct parcel *parcel, enum parcel_outcome outcome, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
