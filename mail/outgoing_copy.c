/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_copy - the second pass, where each copy of a mail has one recipient; see outgoing.h */

#include "mail/msgid.h"
#include "mail/outgoing_work.h"
#include "mail/pass.h"

/* What the first pass has decided, or the reason why nothing is known of it. */
static const char *step_pass(struct outgoing_work *work)
{
    const struct header_list *headers = work->mail->headers;
    const struct outgoing_settings *settings = work->settings;
    const char *message_id = header_value(headers, "Message-ID");
    struct msgid_list ids = {.count = 0};
    const char *reason = "no_pass";
    struct buf text;
    struct pass pass;

    outgoing_remove_headers(work, PASS_HEADER, 1);
    work->plan->controls = work->plan->edits;
    if (work->plan->edits == 0)
        return reason;
    if (work->plan->edits > 1 || headers->failed || !message_id)
        return "forged_pass";
    buf_init(&text, HEADER_BYTES_MAX);
    msgid_list_read(slice_str(message_id), &ids);
    reason = pass_read(settings->keys, slice_str(header_value(headers, PASS_HEADER)),
                       ids.count ? ids.id[0] : slice_str(""), settings->now_s, &pass, &text);
    if (!reason) {
        work->plan->tracked = true;
        work->plan->record.id = pass.message;
        work->plan->record.level = pass.level;
        work->plan->record.owner = outgoing_keep(work->plan, pass.owner);
        work->wishes = (struct wishes){.level = pass.level, .views = pass.views, .links = pass.links};
        work->offers_way_out = pass.unsubscribe;
        work->degree = pass.body ? REWRITE_BODY : REWRITE_HEADERS;
    }
    buf_free(&text);
    return reason;
}

/* A copy follows its own recipient. That the mail has a number is known by then; the copy shows none of it. */
static const char *step_policy(struct outgoing_work *work)
{
    struct wishes *wishes = &work->wishes;
    struct policy_limits limits = {.level = wishes->level, .views = wishes->views, .links = wishes->links};
    const char *unknown = outgoing_limits_unknown(work);

    if (unknown)
        limits.level = LEVEL_OFF;
    else
        outgoing_limit_copy(work, &limits);
    wishes->level = limits.level;
    wishes->views = limits.views;
    wishes->links = limits.links;
    work->plan->record.level = limits.level;
    work->plan->whom = outgoing_keep(work->plan, limits.whom);
    if (wishes->level > LEVEL_OFF)
        return NULL;
    work->plan->tracked = false;
    return unknown ? unknown : "policy_off";
}

static const char *step_unsubscribe(struct outgoing_work *work)
{
    if (work->offers_way_out)
        outgoing_unsubscribe(work);
    return NULL;
}

/* Memory may be shorter than it was in the first pass. */
static const char *step_body(struct outgoing_work *work)
{
    if (work->degree != REWRITE_BODY)
        return NULL;
    if (work->mail->body_missing)
        work->plan->reason = work->mail->body_missing;
    else
        outgoing_body(work);
    return NULL;
}

void outgoing_copy_plan(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                        struct outgoing_plan *plan)
{
    static const struct outgoing_step ladder[] = {
        {"pass", step_pass},
        {"policy", step_policy},
        {"recipients", outgoing_recipients},
        {"unsubscribe", step_unsubscribe},
        {"body", step_body},
    };
    struct outgoing_work work = {.mail = mail, .settings = settings, .conf = settings->conf, .plan = plan};

    *plan = (struct outgoing_plan){.is_copy = true};
    outgoing_climb(&work, ladder, sizeof ladder / sizeof *ladder);
}
