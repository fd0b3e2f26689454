/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * incoming_lookup - a mail that came in, and the questions that the verdict on it asks.
 *
 * The caller answers them from keys, cache and database, each within a deadline of its own.
 */
#ifndef MAIL_INCOMING_LOOKUP_H
#define MAIL_INCOMING_LOOKUP_H

#include "common/original.h"
#include "common/sent_id.h"
#include "common/token.h"
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

#endif
