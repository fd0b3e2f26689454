/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line - what one line of a mail log says about a mail, and how its fields are read. Pure.
 *
 * Slices point into the line. What a line does not say is empty; a line that says nothing of use here is LINE_OTHER.
 */
#ifndef DELIVERY_LINE_H
#define DELIVERY_LINE_H

#include "common/slice.h"
#include "delivery/log_time.h"

#include <stdbool.h>
#include <stdint.h>

enum line_kind {
    LINE_OTHER,   /* not of a mail server, or nothing that is followed here */
    LINE_FROM,    /* the mail's envelope sender */
    LINE_COPY,    /* the mail is another one again: a copy that a content filter sent back, a requeued one */
    LINE_ATTEMPT, /* what became of one recipient, or with Sendmail of some at once */
    LINE_EXPIRED, /* the mail was too long in the queue: those who have not got it never will */
    LINE_REMOVED, /* the mail has left the queue */
    LINE_TLS      /* the process has a TLS connection to RELAY */
};

enum line_state { STATE_NONE, STATE_DELIVERED, STATE_DEFERRED, STATE_BOUNCED };

struct log_line {
    enum line_kind kind;
    struct log_time time;
    struct slice host;      /* that wrote it */
    struct slice process;   /* "postfix/smtp[123]" */
    struct slice queue_id;
    struct slice sender;    /* LINE_FROM: no brackets, empty for the null sender */
    struct slice first;     /* LINE_COPY: queue id of the mail it was */
    struct slice recipient; /* LINE_ATTEMPT: "<a@x>", or a list of them with commas */
    struct slice original;  /* no brackets: as it was submitted, when an alias changed it */
    struct slice relay;     /* "mx.example[192.0.2.1]:25", "local", "none" */
    struct slice status;    /* "2.0.0", RFC 3463 */
    enum line_state state;
    struct slice text;      /* the other server's words, or the reason */
};

/* Takes the next address off the recipients of an attempt, without brackets; false at their end. */
bool line_next_recipient(struct slice *recipients, struct slice *address);

/* "queued as 4F2A" or "forwarded as 4F2A" in the words of a delivery: the mail goes on here under that queue id. */
struct slice line_goes_on_as(struct slice text);

bool line_is_queue_id(struct slice text);

/* The value of "KEY=value, " in REST, up to a comma and a blank; false without it. */
bool line_field(struct slice rest, const char *key, struct slice *value);
/* The same of "KEY=<address>, ", without brackets; an address may hold commas. */
bool line_address_field(struct slice rest, const char *key, struct slice *address);

#endif
