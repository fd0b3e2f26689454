/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * observation - what spoor-stamp has said of a mail in a line of its log, see spoor-log(7), and the sums of many such lines.
 *
 * Pure. A line may be as syslog, the journal or spoor-stamp -f write it; its texts are strangers'. Senders and reasons are
 * counted each up to a cap, and all beyond it together.
 */
#ifndef CTL_OBSERVATION_H
#define CTL_OBSERVATION_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdint.h>

struct observation { /* slices of the line */
    bool tracked;    /* or would have been */
    bool copy;       /* of a mail that has a line of its own; made by the second pass */
    bool sized;      /* SIZE and GROWS are told */
    struct slice queue_id;
    struct slice from;
    struct slice added;  /* the list; empty where nothing was */
    struct slice reason; /* why nothing or less than all; empty: all was done */
    int64_t size, grows; /* bytes */
};

/* False for a line that is none of spoor-stamp's about a mail. */
bool observation_read(struct slice line, struct observation *observation);
/* How often NAME is in such a list: 0 when it is not, 1 without a number. */
uint64_t observation_count(struct slice added, const char *name);

struct observed_sender {
    char *address; /* owned; NULL: all others */
    uint64_t mails, tracked, links, documents;
};

struct observed_reason {
    char *word;            /* owned; NULL: all others */
    char *queue_id, *from; /* of one such mail; owned */
    uint64_t mails;
};

enum { OBSERVED_SENDERS = 5000, OBSERVED_REASONS = 100 };

struct observed_reasons {
    struct observed_reason reason[OBSERVED_REASONS + 1];
    size_t count;
};

struct observed_sums {
    uint64_t mails, tracked;
    uint64_t pixel, with_links, links, with_documents, documents, id, cleaned; /* mails with, and how many */
    uint64_t sized;
    int64_t size, grows;
    struct observed_reasons in_part, untouched;
    struct observed_sender sender[OBSERVED_SENDERS + 1]; /* sorted by address */
    size_t senders;
};

struct observed_sums *observed_sums_new(void); /* NULL without memory */
void observed_sums_free(struct observed_sums *sums);
/* False without memory. */
bool observed_sums_add(struct observed_sums *sums, const struct observation *observation);

/* The report, for people; sorts the sums by how many mails each has. */
void observed_sums_report(struct observed_sums *sums, struct buf *out);

#endif
