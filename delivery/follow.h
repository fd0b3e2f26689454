/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow - from the lines of a mail log, in their order, to the records of what became of our mails.
 *
 * It remembers what later lines need: whether a mail's envelope sender is ours, to whom a process speaks TLS. Both
 * tables have a fixed size and forget what is older: a sender that is not known counts as ours, and TLS as not known.
 * Pure, one thread.
 */
#ifndef DELIVERY_FOLLOW_H
#define DELIVERY_FOLLOW_H

#include "common/conf.h"
#include "common/record.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct follow;

struct follow_counts {
    uint64_t lines;
    uint64_t other;    /* said nothing of use, or were not understood */
    uint64_t foreign;  /* were of mail whose envelope sender is not ours */
    uint64_t recorded;
};

/* RECORD is called within follow_line(); the slices end with it. DOMAINS NULL: all senders are ours. */
struct follow *follow_new(const struct conf_list *domains,
                          void (*record)(void *arg, const struct record_delivery *delivery), void *arg);
void follow_free(struct follow *follow);

/* One line without its end. NOW_US gives a time without a year its year. */
void follow_line(struct follow *follow, struct slice line, int64_t now_us);

struct follow_counts follow_counts(const struct follow *follow);

#endif
