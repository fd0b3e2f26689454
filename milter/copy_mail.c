/* SPDX-License-Identifier: BSD-2-Clause */
/* copy_mail - see copy_mail.h */

#include "milter/copy_mail.h"

#include "common/log.h"
#include "mail/crm_bcc.h"
#include "mail/original_recipient.h"
#include "mail/outgoing.h"
#include "milter/mail_record.h"
#include "milter/stamp_apply.h"
#include "milter/stamp_plan.h"

#include <inttypes.h>

enum { WHOM_MAX = ADDRESS_MAX + 40 };

static void make_plan(const struct copy_filter *filter, const struct mlfi_message *message, struct outgoing_plan *plan)
{
    struct outgoing_mail mail = stamp_plan_mail(message);
    struct outgoing_settings settings = {.conf = filter->conf, .keys = filter->keys, .has_second_pass = true};

    stamp_plan_make(filter->policy, outgoing_copy_plan, &mail, &settings, plan);
}

/*
 * The first pass has recorded those to whom the sender wrote; who else gets a copy is known here alone. What is
 * written twice is one row. A copy goes edited also without: its recipient is most likely there already.
 */
static void write_recipients(struct copy_filter *filter, const struct mlfi_message *message,
                             const struct record_message *record)
{
    char original[ADDRESS_MAX + 1] = "";
    struct buf payload;

    if (message->recipients == 1)
        original_recipient_read(message->original[0], original);
    buf_init(&payload, RECORD_BYTES_MAX);
    for (size_t at = 0; at < record->recipients; at++) {
        struct record_copy copy = {.message = record->id, .recipient = record->recipient[at]};

        if (!slice_is(copy.recipient.address, original))
            copy.original = slice_str(original);
        buf_reset(&payload);
        record_copy_encode(&copy, &payload);
        mail_record_write(filter->recorder, RECORD_COPY, &payload);
    }
    buf_free(&payload);
}

static void log_copy(const struct mlfi_message *message, const struct outgoing_plan *plan, bool observed)
{
    struct slice to = message->recipients == 1 ? message->recipient[0] : slice_str("");
    struct buf summary;
    struct buf whom;

    buf_init(&summary, 256);
    buf_init(&whom, WHOM_MAX);
    outgoing_plan_summary(plan, &summary);
    outgoing_plan_whom(plan, &whom);
    if (plan->tracked && !plan->failed)
        log_info("copy message=%" PRIu64 " to=<%.*s> recipients=%zu %s=%s%s%s%s", plan->record.id, SLICE_ARG(to),
                 message->recipients, observed ? "would_add" : "added", buf_text(&summary),
                 plan->reason ? " reason=" : "", plan->reason ? plan->reason : "", buf_text(&whom));
    else
        log_info("copy untouched reason=%s to=<%.*s> recipients=%zu%s", plan->reason ? plan->reason : "none", SLICE_ARG(to),
                 message->recipients, buf_text(&whom));
    buf_free(&whom);
    buf_free(&summary);
}

/* What the CRM loads is no view, and it is no recipient. */
static bool is_for_crm(const struct copy_filter *filter, const struct mlfi_message *message)
{
    return message->recipients == 1 && crm_bcc_is(filter->conf, message->recipient[0]);
}

static bool send_on(struct copy_filter *filter, const struct mlfi_message *message, const struct outgoing_plan *plan)
{
    if (plan->failed || is_for_crm(filter, message))
        return stamp_apply_controls(message->ctx, plan);
    write_recipients(filter, message, &plan->record);
    return stamp_apply(message->ctx, plan);
}

/* Nothing is changed, but what the first pass has told the second, before somebody chose to observe, goes no further. */
static bool observe(const struct mlfi_message *message, const struct outgoing_plan *plan)
{
    return !plan->tracked || stamp_apply_controls(message->ctx, plan);
}

sfsistat copy_mail_finish(void *arg, struct mlfi_message *message)
{
    struct copy_filter *filter = arg;
    bool observed = filter->conf->mode == MODE_OBSERVE;
    sfsistat answer = SMFIS_CONTINUE;
    struct outgoing_plan plan;

    make_plan(filter, message, &plan);
    if (observed ? observe(message, &plan) : send_on(filter, message, &plan)) {
        log_copy(message, &plan, observed);
    } else {
        log_err("cannot hand the edits to the MTA: the copy is to be tried again");
        answer = SMFIS_TEMPFAIL;
    }
    outgoing_plan_free(&plan);
    return answer;
}
