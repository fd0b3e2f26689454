/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * held - answers that wait until what they acknowledge is on the disk, many for one sync.
 *
 * One thread of its own settles all that wait and then lets them go. After that it waits until HELD_PAUSE_MS have
 * passed since it began, so that more come together; an answer that comes alone is settled at once. Any thread may
 * call held_add().
 */
#ifndef PIXELD_HELD_H
#define PIXELD_HELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HELD_PAUSE_MS = 2 };

struct held;

struct held_answer {
    struct held_answer *next;
    uint64_t after; /* what SETTLE shall see to */
    void *what;     /* for RELEASE */
};

struct held_options {
    void (*settle)(void *arg, uint64_t after, size_t answers); /* the largest AFTER of so many answers */
    void *arg;
    void (*release)(void *what); /* the answer is the caller's again, and may be gone when this returns */
};

/* OPTIONS is copied. NULL with errno. */
struct held *held_start(const struct held_options *options);

/* Settles and releases what waits; afterwards held_add() takes no more. NULL is fine. */
void held_stop(struct held *held);
void held_free(struct held *held); /* stopped before; NULL is fine */

/* The answer stays the caller's memory and is lent until its release. False when the caller must settle it himself. */
bool held_add(struct held *held, struct held_answer *answer);

#endif
