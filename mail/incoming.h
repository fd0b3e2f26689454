/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incoming - the verdict on a mail that came in: which of our mails it refers to, and what it is.
 *
 * The signed id is the evidence; From never decides a match, it only tells who answered. Pure but for the
 * questions of struct incoming_lookup.
 */
#ifndef MAIL_INCOMING_H
#define MAIL_INCOMING_H

#include "common/address.h"
#include "common/record.h"
#include "common/sent_id.h"
#include "mail/absence.h"
#include "mail/incoming_lookup.h"
#include "mail/way.h"

struct incoming_verdict {
    enum answer_class class_; /* ANSWER_NONE: nothing of ours is referred to; only `forged` is set then */
    enum answer_rung rung;
    enum answer_confidence confidence;
    uint64_t message;
    uint32_t recipient; /* key in the token; 0: one of them */
    bool direct;        /* it answers that very mail: not one further down its thread, and it is not the mail itself */
    enum answer_answerer answerer;
    bool same_domain;   /* who answered shares the domain of a recipient; false also when that is not known */
    uint32_t answerer_key;
    char from[ADDRESS_MAX + 1];            /* normal form; "": no From, more than one, or unreadable */
    char envelope_sender[ADDRESS_MAX + 1]; /* normal form */
    char status[16];                       /* of a bounce or delay, "5.1.1"; "" unknown */
    enum answer_hard hard;                 /* of a bounce */
    char about[ADDRESS_MAX + 1];           /* whom a delivery report or complaint names; normal form; "" nobody */
    bool effect;                           /* that is a recipient of the mail: it may stop and suppress */
    const char *receipt;                   /* displayed, deleted, dispatched, processed, or NULL */
    char until[ABSENCE_DATE];              /* end of an absence, ISO 8601; "" unknown */
    char own_id[SENT_ID_MAX + 1];          /* by which the sender's program knows our mail; "" */
    bool itself;                           /* the tracked mail on its way to a mailbox here: own, and no answer */
    bool forged;                           /* an id of our shape did not verify */
    char *subject;                         /* decoded; owned */
    char *message_id;                      /* of this mail, no brackets, "" none; owned */
    struct way way;                        /* what was looked for, and what came of it */
    uint8_t digest[32];                    /* tells a second copy of the same answer */
};

/* False only without memory; there is nothing to free then. */
bool incoming_judge(const struct incoming_mail *mail, const struct incoming_lookup *lookup,
                    struct incoming_verdict *verdict);
void incoming_verdict_free(struct incoming_verdict *verdict);

/* The address in From, normal form; "" when there is none, more than one, or it cannot be read. */
void incoming_author(const struct header_list *headers, char address[ADDRESS_MAX + 1]);

/* "key: value" lines, keys without a value left out. */
bool incoming_print(const struct incoming_verdict *verdict, struct buf *out);

/* The record of it, but for time, host and queue id. Its slices point into VERDICT. */
void incoming_record(const struct incoming_verdict *verdict, struct record_answer *answer);

#endif
