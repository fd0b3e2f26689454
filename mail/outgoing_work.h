/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outgoing_work - what the steps of the ladder in outgoing.c hand on to each other. For mail/outgoing*.c alone.
 */
#ifndef MAIL_OUTGOING_WORK_H
#define MAIL_OUTGOING_WORK_H

#include "mail/outgoing.h"
#include "mail/wishes.h"

/* What the steps hand on to each other. */
struct outgoing_work {
    const struct outgoing_mail *mail;
    const struct outgoing_settings *settings;
    const struct conf *conf;
    struct outgoing_plan *plan;
    struct wishes wishes;
    enum rewrite_degree degree;
    struct buf sender;    /* From, normal form */
    struct buf client_id; /* its own Message-ID, no brackets; empty when there is none that is valid */
    struct buf token_id;  /* what stands in Message-ID when it is replaced */
    uint32_t recipient;   /* key in the tokens */
    bool leaves_body;     /* first pass: all but documents is done to the body copy by copy */
    bool keeps_documents; /* the mail's own wish */
    bool offers_way_out;  /* second pass: the mail is of a campaign */
};

/* The ids that a mail names, and the signed ones by which the recipients know those mails. */
enum { OUTGOING_NAMED_MAX = 16 };
struct outgoing_twins {
    struct sent_id named[OUTGOING_NAMED_MAX];
    size_t count;
};
void outgoing_find_twins(struct outgoing_work *work, struct outgoing_twins *twins); /* outgoing_twins.c */
struct slice outgoing_twin(void *twins, struct slice id); /* empty: none */

/* A copy that lives as long as the plan. */
struct slice outgoing_keep(struct outgoing_plan *plan, struct slice text);

/* VALUE is emptied. */
void outgoing_set_header(struct outgoing_plan *plan, const char *name, unsigned nth, struct buf *value);
/* One field of that name. */
void outgoing_remove_header(struct outgoing_plan *plan, const char *name, unsigned nth);
/* All of that name from the FIRST on. */
void outgoing_remove_headers(struct outgoing_work *work, const char *name, unsigned first);

/* From's address in its normal form; false when there is none. */
bool outgoing_from(const struct header_list *headers, struct buf *address);

/* Steps that have a file of their own: each gives the reason why the ladder ends there, or NULL. */
const char *outgoing_message_id(struct outgoing_work *work); /* outgoing_id.c */
const char *outgoing_references(struct outgoing_work *work);
const char *outgoing_recipients(struct outgoing_work *work); /* outgoing_record.c */
const char *outgoing_record(struct outgoing_work *work);
const char *outgoing_return_path(struct outgoing_work *work); /* outgoing_return.c */
void outgoing_record_links(struct outgoing_plan *plan);
const char *outgoing_documents(struct outgoing_work *work); /* outgoing_documents.c */
void outgoing_document_header(struct outgoing_work *work);
void outgoing_body(struct outgoing_work *work); /* outgoing_body.c */
void outgoing_unsubscribe(struct outgoing_work *work); /* outgoing_unsubscribe.c */

#endif
