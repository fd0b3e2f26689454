/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_campaign - asks the database whether a campaign's mail may go, before spoor-stamp answers.
 *
 * While PostgreSQL answers, no mail goes to somebody whose answer was accepted before. When it does not, or has just come
 * back and may lack stops that wait in a spool, the option campaign_unknown decides. What memcached says never refuses a
 * mail: it only tells that stops are on their way.
 */
#ifndef MILTER_STAMP_CAMPAIGN_H
#define MILTER_STAMP_CAMPAIGN_H

#include "mail/campaign.h"
#include "mail/outgoing.h"
#include "milter/stamp_filter.h"

/*
 * Answers the MTA's question for one mail: true, when it goes on, with those who are stopped already taken out of the
 * envelope and of PLAN's record; false with *ANSWER when it does not. Logs one line unless it simply goes.
 */
bool stamp_campaign_admits(struct stamp_filter *filter, const struct mlfi_message *message, struct outgoing_plan *plan,
                           sfsistat *answer);

#endif
