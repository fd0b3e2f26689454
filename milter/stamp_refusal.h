/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_refusal - notes down who did not get a campaign's mail: one event a mail and person.
 *
 * To be called before the MTA has its answer, so that an attempt which nobody hears of comes again. When a client tries
 * a mail again, the database knows its refusals by the mail's fingerprint. A failure is logged, and the answer stays.
 */
#ifndef MILTER_STAMP_REFUSAL_H
#define MILTER_STAMP_REFUSAL_H

#include "mail/campaign.h"
#include "mail/outgoing.h"
#include "milter/stamp_filter.h"

void stamp_refusal_record(struct stamp_filter *filter, const struct mlfi_message *message, const struct campaign *campaign,
                          const struct campaign_verdict *verdict, const struct outgoing_plan *plan);

#endif
