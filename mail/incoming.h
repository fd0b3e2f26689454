/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incoming - the verdict on a mail that came in: which of our mails it refers to, and what it is.
 *
 * The signed id is the evidence; From never decides a match, it only tells who answered. Pure but for the
 * questions of struct incoming_lookup, which the caller answers from keys, cache and database, each within a
 * deadline of its own.
 */
#ifndef MAIL_INCOMING_H
#define MAIL_INCOMING_H

#include "common/address.h"
#include "common/original.h"
#include "common/record.h"
#include "common/sent_id.h"
#include "common/token.h"
#include "mail/absence.h"
#include "mail/header.h"

enum { INCOMING_KEPT_MAX = 16 /* ids not of our shape looked up for one mail, all at once */ };

struct incoming_mail { /* nothing is copied; all must outlive the verdict */
    const struct header_list *headers;
    struct slice body;
    struct slice envelope_sender; /* no brackets; empty: the null sender */
    const struct slice *recipient;
    size_t recipients;
    bool authenticated; /* it was submitted here with a login */
};

struct incoming_lookup {
    void *site; /* given back in the four calls that follow; see incoming_site.h */
    /* Verifies the left side of an id, or the +detail of a recipient; which kinds count there is decided here. */
    enum token_result (*token)(void *site, struct slice text, struct token *token);
    /* Verifies a URL that begins with TRACKING_URL. NULL: the text is not searched for any. */
    enum token_result (*url)(void *site, struct slice url, struct token *token);
    const char *tracking_url;
    uint32_t (*recipient_key)(void *site, struct slice address);
    /* Is DOMAIN of the organisation of a sender from SENDER? That is empty when nobody knows: is it one of ours? */
    bool (*is_colleague)(void *site, struct slice domain, struct slice sender);

    void *arg; /* of those below, which ask cache and database */
    /* Ids that are not of our shape: were they left as they were in a tracked mail? NULL: nobody to ask. */
    void (*kept_ids)(void *arg, struct sent_id *ids, size_t count);
    /* What MESSAGE is to ADDRESS, in its normal form or empty. NULL: nobody to ask. */
    void (*original)(void *arg, uint64_t message, struct slice address, struct original *original);
};

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
