/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * campaign - whom a campaign's mail still reaches, and which answers end it.
 *
 * What is stopped is in the database; here is what follows from it for one mail: it goes, goes without some, is
 * refused (RFC 5321 4.2.1: 550) or is to come again (450). Pure. Times are microseconds since 1970 UTC.
 */
#ifndef MAIL_CAMPAIGN_H
#define MAIL_CAMPAIGN_H

#include "common/buf.h"
#include "common/record.h"
#include "mail/incoming.h"

enum campaign_state { CAMPAIGN_OPEN, CAMPAIGN_PAUSED, CAMPAIGN_STOPPED };

struct campaign_recipient {
    struct slice path; /* exactly as the MTA gave it; borrowed */
    char *address;     /* normal form, "" when it is none; owned */
    bool copied;       /* stands in Cc */
    enum campaign_state state;
    char reason[16];   /* of a stop or pause */
    int64_t since_us;
    int64_t until_us;  /* of a pause */
};

struct campaign {
    struct campaign_recipient *recipient;
    size_t recipients;
};

/* All are open. False without memory; free it in any case. */
bool campaign_init(struct campaign *campaign, const struct slice *path, size_t paths, const struct header_list *headers);
void campaign_free(struct campaign *campaign);

/* ADDRESS is stopped, or paused until UNTIL_US when that is not 0. */
void campaign_block(struct campaign *campaign, const char *address, const char *reason, int64_t since_us, int64_t until_us);

enum campaign_action { CAMPAIGN_GO, CAMPAIGN_DROP /* goes without those who are stopped */, CAMPAIGN_REFUSE, CAMPAIGN_LATER };

struct campaign_verdict {
    enum campaign_action action;
    size_t stopped;
    const struct campaign_recipient *because; /* the first who is stopped, or paused when it is LATER; NULL when it goes */
};

/* A mail waits only when nobody would get it now and all who are away are back within PAUSE_MAX_S. */
void campaign_judge(const struct campaign *campaign, int64_t now_us, int64_t pause_max_s, struct campaign_verdict *verdict);

/* The text behind 550 or 450, in ASCII without what libmilter or an MTA would take for syntax. */
bool campaign_explain(const struct campaign_verdict *verdict, struct slice name, struct buf *text);

const char *campaign_action_name(enum campaign_action action);

/*
 * What an answer stops, if its mail is of a campaign: a reply, a hard bounce, a complaint; an absence with a date pauses.
 * OTHERS: a reply from an address that the mail did not go to counts, when the mail's id is signed. False when it stops nothing. Slices point into VERDICT.
 */
bool campaign_stop_of(const struct incoming_verdict *verdict, bool others, int64_t now_us, struct record_stop *stop);

#endif
