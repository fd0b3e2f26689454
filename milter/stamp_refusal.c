/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_refusal - see stamp_refusal.h */

#include "common/clock.h"
#include "mail/fingerprint.h"
#include "milter/mail_record.h"
#include "milter/stamp_refusal.h"

#include <stdlib.h>

enum { QUEUE_ID_SHORTEST = 6 };

/* An MTA gives a mail that lacks an id one with the queue id in it: another one at each attempt. */
static bool is_made_by_mta(const struct mlfi_message *message, const char *id)
{
    return strlen(message->queue_id) >= QUEUE_ID_SHORTEST && strstr(id, message->queue_id);
}

/* How each refusal of the mail begins; ID is to be freed. False without memory. */
static bool describe_mail(const struct mlfi_message *message, const struct record_message *record,
                          struct record_refusal *refusal, char **id)
{
    *id = fingerprint_message_id(&message->headers);
    if (*id && is_made_by_mta(message, *id))
        **id = '\0';
    *refusal = (struct record_refusal){
        .time_us = clock_wall_us(),
        .campaign = record->campaign,
        .owner = record->owner,
        .sender = record->sender,
        .subject = record->subject,
        .message_id = slice_str(*id),
        .host = slice_str(message->host),
        .queue_id = slice_str(message->queue_id),
    };
    return *id && fingerprint(&message->headers, *id, refusal->digest);
}

/* All go to the disk together, with the last. */
static void write_refusals(struct stamp_filter *filter, const struct campaign *campaign, const struct record_message *record,
                           size_t left, struct record_refusal *refusal)
{
    struct buf payload;
    bool written = true;

    buf_init(&payload, RECORD_BYTES_MAX);
    for (size_t at = 0; at < campaign->recipients && written && left; at++) {
        if (campaign->recipient[at].state != CAMPAIGN_STOPPED)
            continue;
        left--;
        refusal->address = slice_str(campaign->recipient[at].address);
        refusal->reason = slice_str(campaign->recipient[at].reason);
        refusal->recipient = record_message_key(record, refusal->address);
        buf_reset(&payload);
        written = record_refusal_encode(refusal, &payload) &&
                  (left ? mail_record_write_ahead : mail_record_write)(filter->recorder, RECORD_REFUSED, &payload);
    }
    buf_free(&payload);
}

void stamp_refusal_record(struct stamp_filter *filter, const struct mlfi_message *message, const struct campaign *campaign,
                          const struct campaign_verdict *verdict, const struct outgoing_plan *plan)
{
    struct record_refusal refusal;
    char *id;

    if (describe_mail(message, &plan->record, &refusal, &id)) {
        refusal.message = plan->tracked && verdict->action == CAMPAIGN_DROP ? plan->record.id : 0;
        write_refusals(filter, campaign, &plan->record, verdict->stopped, &refusal);
    }
    free(id);
}
