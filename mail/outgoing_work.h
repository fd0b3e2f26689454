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
    bool documents;       /* policy, and later the mail itself, lets files be taken out */
    uint32_t recipient;   /* key in the tokens */
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

/* Does the body stay as it is, for the second pass to edit it copy by copy? */
static inline bool outgoing_leaves_body(const struct outgoing_work *work)
{
    return work->settings->has_second_pass && work->conf->stamp.copies && !work->plan->is_copy;
}

/* outgoing_policy.c. The campaign that policy names for a mail that names none; empty: none. */
struct slice outgoing_policy_campaign(struct outgoing_work *work);
/* Why it cannot be known who wants no tracking, so that nobody gets it; NULL when it is. */
const char *outgoing_limits_unknown(const struct outgoing_work *work);
/* Takes from LIMITS what is not allowed for any of the recipients. */
void outgoing_limit_copy(struct outgoing_work *work, struct policy_limits *limits);
/* May what is said of recipients take something away? */
bool outgoing_asks_recipients(const struct outgoing_work *work);
/* How far mail to that recipient alone is tracked at most. */
enum tracking_level outgoing_level_of(const struct outgoing_work *work, struct slice address);
/* Does policy ask for an attached file of that name (decoded) and size to be taken out? For steps behind the policy's. */
bool outgoing_wants_file(const struct outgoing_work *work, struct slice name, uint64_t bytes);

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
const char *outgoing_policy(struct outgoing_work *work); /* outgoing_policy.c */
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

struct outgoing_step {
    const char *name;
    const char *(*take)(struct outgoing_work *work); /* gives the reason why the ladder ends there, or NULL */
};

/* Step after step until one gives a reason, which becomes the plan's; each is noted in the plan's way. */
void outgoing_climb(struct outgoing_work *work, const struct outgoing_step *ladder, size_t steps);

#endif
