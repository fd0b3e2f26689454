/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_mail - see stamp_mail.h */

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"
#include "mail/crm_bcc.h"
#include "mail/msgid.h"
#include "mail/outgoing.h"
#include "milter/mail_record.h"
#include "milter/sent_ids.h"
#include "milter/stamp_apply.h"
#include "milter/stamp_campaign.h"
#include "milter/stamp_documents.h"
#include "milter/stamp_mail.h"
#include "milter/stamp_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum {
    SENDER_CACHED_S = 7 * 24 * 3600, /* as long as a server may try to deliver */
    WHOM_MAX = ADDRESS_MAX + 40
};

/* What the questions of one mail are about. */
struct asking {
    struct stamp_filter *filter;
    struct stamp_documents documents;
};

static bool next_number(void *arg, uint64_t *id)
{
    static struct log_throttle no_number = {.every_seconds = 60};
    struct stamp_filter *filter = ((struct asking *)arg)->filter;

    if (message_id_make(filter->numbers, id))
        return true;
    log_throttled(&no_number, LOG_ERR, "mail goes untouched, for it gets no number: %s",
                  errno == EAGAIN ? "the database has not given this host a node number yet" : strerrordesc_np(errno));
    return false;
}

/* Asked once a mail: the deadline begins here. */
static void find_sent_ids(void *arg, struct sent_id *ids, size_t count)
{
    struct stamp_filter *filter = ((struct asking *)arg)->filter;

    sent_ids_find(filter->cache, &filter->databases, ids, count, clock_monotonic_ms() + filter->conf->database_timeout_ms);
}

static bool store_file(void *arg, const struct outgoing_file *file)
{
    return stamp_documents_store(&((struct asking *)arg)->documents, file);
}

static void carry_documents(void *arg, const struct record_message *mail, unsigned first, struct tracking_document *document,
                            size_t count)
{
    stamp_documents_carry(((struct asking *)arg)->filter, mail, first, document, count);
}

/* A mail program's own network, told by a login; not a server of ours through which many submit. */
static void note_network(const struct stamp_filter *filter, const struct mlfi_message *message, struct record_message *record)
{
    static const uint8_t ip4[12] = {[10] = 0xff, [11] = 0xff}, loopback6[16] = {[15] = 1};
    const struct sockaddr *client = (const struct sockaddr *)&message->client;
    uint8_t address[16];
    bool is_ip4;

    if (!*message->login || !network_address_of(client, address) || network_list_has(&filter->submit_networks, client))
        return;
    is_ip4 = memcmp(address, ip4, sizeof ip4) == 0;
    if (is_ip4 ? address[12] == 127 : memcmp(address, loopback6, sizeof address) == 0)
        return;
    record->submitted_from_bytes = is_ip4 ? 4 : 16;
    memcpy(record->submitted_from, is_ip4 ? address + 12 : address, record->submitted_from_bytes);
}

static void make_plan(struct stamp_filter *filter, const struct mlfi_message *message, struct outgoing_plan *plan)
{
    const struct sockaddr *client = (const struct sockaddr *)&message->client;
    struct outgoing_mail mail = stamp_plan_mail(message);
    struct asking asking = {.filter = filter, .documents = {.filter = filter}};
    bool observed = filter->conf->mode == MODE_OBSERVE;
    struct outgoing_settings settings = {
        .conf = filter->conf,
        .keys = filter->keys,
        .number = next_number,
        .sent_ids = find_sent_ids,
        .store = observed ? outgoing_store_dry : store_file,
        .carry = observed ? NULL : carry_documents,
        .arg = &asking,
        .has_second_pass = *filter->conf->stamp.listen_copies,
    };

    mail.login = slice_str(message->login);
    mail.from_submit_network = !message->by_smtp || network_list_has(&filter->submit_networks, client);
    stamp_plan_make(filter->policy, outgoing_plan_make, &mail, &settings, plan);
    plan->record.time_us = clock_wall_us();
    plan->record.host = slice_str(message->host);
    plan->record.queue_id = slice_str(message->queue_id);
    note_network(filter, message, &plan->record);
}

static bool write_record(struct stamp_filter *filter, const struct outgoing_plan *plan)
{
    struct buf payload;
    bool written;

    buf_init(&payload, RECORD_BYTES_MAX);
    record_message_encode(&plan->record, &payload);
    written = mail_record_write(filter->recorder, RECORD_MESSAGE, &payload);
    buf_free(&payload);
    return written;
}

/* So that spoor-match knows without asking the database: an answer or a bounce may be here before the record is there. */
static void remember(struct stamp_filter *filter, int64_t epoch, const struct outgoing_plan *plan)
{
    const struct record_message *record = &plan->record;
    char number[24];

    sent_ids_keep(filter->cache, epoch, record);
    if (!plan->return_path)
        return;
    snprintf(number, sizeof number, "%" PRIu64, record->id);
    cache_set(filter->cache, epoch, "envelope_sender", slice_str(number), record->envelope_sender, SENDER_CACHED_S);
}

/* For whoever observes: what the mail has, and what it would have more. */
static void add_sizes(const struct mlfi_message *message, const struct outgoing_plan *plan, struct buf *out)
{
    int64_t grows = plan->rewrite.changed ? (int64_t)plan->rewrite.body.len - (int64_t)message->body.len : 0;

    for (size_t at = 0; at < plan->edits; at++) {
        const struct outgoing_header_edit *edit = &plan->edit[at];
        const struct header_field *was = header_find(&message->headers, edit->name, edit->nth - 1);

        if (edit->value)
            grows += (int64_t)(strlen(edit->name) + strlen(edit->value));
        if (was)
            grows -= (int64_t)(strlen(was->name) + strlen(was->value));
    }
    buf_add_f(out, " size=%" PRIu64 " grows=%" PRId64, plan->record.size, grows);
}

static void log_mail(const struct mlfi_message *message, const struct outgoing_plan *plan, const char *reason,
                     bool observed)
{
    struct buf summary;
    struct buf sizes;
    struct buf whom;

    buf_init(&summary, 256);
    buf_init(&sizes, 100);
    buf_init(&whom, WHOM_MAX);
    outgoing_plan_summary(plan, &summary);
    outgoing_plan_whom(plan, &whom);
    if (observed)
        add_sizes(message, plan, &sizes);
    if (plan->tracked && !plan->failed && (observed || reason == plan->reason))
        log_info("message=%" PRIu64 " from=<%.*s> recipients=%zu%s %s=%s%s%s%s", plan->record.id,
                 SLICE_ARG(message->envelope_sender), message->recipients, buf_text(&sizes), observed ? "would_add" : "added",
                 buf_text(&summary), reason ? " reason=" : "", reason ? reason : "", buf_text(&whom));
    else
        log_info("untouched reason=%s from=<%.*s> recipients=%zu%s", reason ? reason : "none",
                 SLICE_ARG(message->envelope_sender), message->recipients, buf_text(&whom));
    buf_free(&whom);
    buf_free(&sizes);
    buf_free(&summary);
}

/* Untouched, but for our control headers. */
static sfsistat let_go(const struct mlfi_message *message, const struct outgoing_plan *plan, const char *reason)
{
    log_mail(message, plan, reason, false);
    return stamp_apply_controls(message->ctx, plan) ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}

/*
 * A copy to the CRM. It is no recipient of the mail: not in the record, and with a copy a recipient its own stays clean. A
 * campaign's mail is not what somebody wrote to a person.
 */
static bool add_crm(const struct stamp_filter *filter, const struct mlfi_message *message, const struct outgoing_plan *plan)
{
    const struct record_message *record = &plan->record;
    struct crm_bcc_mail mail = {.owner = record->owner, .sender = record->sender, .recipient = message->recipient,
                                .recipients = message->recipients};
    char address[ADDRESS_MAX + 1], path[ADDRESS_MAX + 3];

    if (!plan->tracked || record->campaign.len || !crm_bcc_choose(filter->conf, &mail, address))
        return true;
    snprintf(path, sizeof path, "<%s>", address);
    return smfi_addrcpt(message->ctx, path) == MI_SUCCESS;
}

/* Records and edits a mail that goes. EPOCH is that of the plan. */
static sfsistat send_on(struct stamp_filter *filter, struct mlfi_message *message, int64_t epoch, const struct outgoing_plan *plan)
{
    if (plan->tracked && !write_record(filter, plan))
        return let_go(message, plan, "not_recorded");
    if (!add_crm(filter, message, plan) || !stamp_apply(message->ctx, plan)) {
        log_err("cannot hand the edits to the MTA: the mail is to be tried again");
        return SMFIS_TEMPFAIL;
    }
    if (plan->tracked)
        remember(filter, epoch, plan);
    log_mail(message, plan, plan->reason, false);
    return SMFIS_CONTINUE;
}

sfsistat stamp_mail_finish(void *arg, struct mlfi_message *message)
{
    struct stamp_filter *filter = arg;
    struct outgoing_plan plan;
    bool observed = filter->conf->mode == MODE_OBSERVE;
    int64_t epoch = cache_epoch(filter->cache); /* before it is asked who is forgotten */
    sfsistat answer = SMFIS_CONTINUE;

    make_plan(filter, message, &plan);
    if (observed)
        log_mail(message, &plan, plan.reason, !plan.failed);
    else if (stamp_campaign_admits(filter, message, &plan, &answer)) {
        answer = plan.failed ? let_go(message, &plan, plan.reason) : send_on(filter, message, epoch, &plan);
    }
    outgoing_plan_free(&plan);
    return answer;
}
