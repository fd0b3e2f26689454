/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_filter - see stamp_filter.h */

#include "common/clock.h"
#include "common/log.h"
#include "mail/msgid.h"
#include "mail/outgoing.h"
#include "milter/sent_ids.h"
#include "milter/stamp_campaign.h"
#include "milter/stamp_filter.h"

#include <inttypes.h>

static bool next_number(void *arg, uint64_t *id)
{
    struct stamp_filter *filter = arg;

    return message_id_make(filter->numbers, id);
}

/* Asked once a mail: the deadline begins here. */
static void find_sent_ids(void *arg, struct sent_id *ids, size_t count)
{
    struct stamp_filter *filter = arg;

    sent_ids_find(filter->cache, filter->databases, ids, count, clock_monotonic_ms() + filter->conf->database_timeout_ms);
}

static void make_plan(struct stamp_filter *filter, const struct mlfi_message *message, struct outgoing_plan *plan)
{
    const struct sockaddr *client = (const struct sockaddr *)&message->client;
    struct outgoing_mail mail = {
        .headers = &message->headers,
        .body = buf_slice(&message->body),
        .body_missing = message->body_missing,
        .envelope_sender = message->envelope_sender,
        .recipient = message->recipient,
        .recipients = message->recipients,
        .login = slice_str(message->login),
        .from_submit_network =
            client->sa_family == AF_UNSPEC || network_list_has(&filter->submit_networks, client),
    };
    struct outgoing_settings settings = {
        .conf = filter->conf, .keys = filter->keys, .number = next_number, .sent_ids = find_sent_ids, .arg = filter};

    outgoing_plan_make(&mail, &settings, plan);
    plan->record.time_us = clock_wall_us();
    plan->record.host = slice_str(message->host);
    plan->record.queue_id = slice_str(message->queue_id);
}

static bool write_record(struct stamp_filter *filter, const struct outgoing_plan *plan)
{
    struct buf payload;
    bool written;

    buf_init(&payload, RECORD_BYTES_MAX);
    record_message_encode(&plan->record, &payload);
    written = mlfi_record(filter->recorder, RECORD_MESSAGE, &payload);
    buf_free(&payload);
    return written;
}

static bool apply_headers(SMFICTX *ctx, const struct outgoing_plan *plan, size_t edits)
{
    for (size_t at = 0; at < edits; at++) {
        const struct outgoing_header_edit *edit = &plan->edit[at];

        /* Always chgheader: it changes, adds or removes, and leaves one field on either MTA. */
        if (smfi_chgheader(ctx, (char *)(uintptr_t)edit->name, (int)edit->nth, edit->value) != MI_SUCCESS)
            return false;
    }
    return true;
}

/* The body goes last and at once: Postfix loses a mail whose filter dies in the middle of a replacement. */
static bool apply(SMFICTX *ctx, const struct outgoing_plan *plan)
{
    const struct buf *body = &plan->rewrite.body;

    return apply_headers(ctx, plan, plan->edits) &&
           (!plan->rewrite.changed ||
            smfi_replacebody(ctx, (unsigned char *)body->data, (int)body->len) == MI_SUCCESS);
}

static void log_mail(const struct mlfi_message *message, const struct outgoing_plan *plan, const char *reason,
                     bool observed)
{
    struct buf summary;

    buf_init(&summary, 256);
    outgoing_plan_summary(plan, &summary);
    if (plan->tracked && !plan->failed && (observed || reason == plan->reason))
        log_info("message=%" PRIu64 " from=<%.*s> recipients=%zu %s=%s%s%s", plan->record.id,
                 SLICE_ARG(message->envelope_sender), message->recipients, observed ? "would_add" : "added",
                 buf_text(&summary), reason ? " reason=" : "", reason ? reason : "");
    else
        log_info("untouched reason=%s from=<%.*s> recipients=%zu", reason ? reason : "none",
                 SLICE_ARG(message->envelope_sender), message->recipients);
    buf_free(&summary);
}

/* Records and edits a mail that goes. */
static sfsistat send_on(struct stamp_filter *filter, struct mlfi_message *message, const struct outgoing_plan *plan)
{
    if (plan->tracked && !write_record(filter, plan)) {
        log_mail(message, plan, "not_recorded", false);
        return apply_headers(message->ctx, plan, plan->controls) ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
    }
    if (!apply(message->ctx, plan)) {
        log_err("cannot hand the edits to the MTA: the mail is to be tried again");
        return SMFIS_TEMPFAIL;
    }
    if (plan->tracked)
        sent_ids_keep(filter->cache, &plan->record);
    log_mail(message, plan, plan->reason, false);
    return SMFIS_CONTINUE;
}

sfsistat stamp_filter_finish(void *arg, struct mlfi_message *message)
{
    struct stamp_filter *filter = arg;
    struct outgoing_plan plan;
    bool observed = filter->conf->mode == MODE_OBSERVE;
    sfsistat answer = SMFIS_CONTINUE;

    make_plan(filter, message, &plan);
    if (observed)
        log_mail(message, &plan, plan.reason, !plan.failed);
    else if (stamp_campaign_admits(filter, message, &plan, &answer)) {
        if (plan.failed)
            log_mail(message, &plan, plan.reason, false);
        else
            answer = send_on(filter, message, &plan);
    }
    outgoing_plan_free(&plan);
    return answer;
}
