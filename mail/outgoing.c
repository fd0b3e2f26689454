/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing - the ladder; see outgoing.h */

#include "common/address.h"
#include "mail/keyword.h"
#include "mail/msgid.h"
#include "mail/outgoing_work.h"
#include "mail/pass.h"
#include "mail/rewrite_degree.h"

#include <strings.h>

enum { CAMPAIGN_KEPT = 200 /* bytes of its name */, CONTROLS_MAX = 100 };

/* --- the steps: each gives the reason why the ladder ends there, or NULL ------------------------ */

/* Before all else, and from anybody's mail: the second pass believes what it finds there. */
static const char *step_strange_pass(struct outgoing_work *work)
{
    if (work->settings->has_second_pass)
        outgoing_remove_headers(work, PASS_HEADER, 1);
    work->plan->controls = work->plan->edits;
    return NULL;
}

static bool is_gone_already(const struct outgoing_work *work, const char *name)
{
    return work->settings->has_second_pass && strcasecmp(name, PASS_HEADER) == 0;
}

static const char *step_ours(struct outgoing_work *work)
{
    struct buf owner;
    const char *reason;

    if (work->mail->headers->failed)
        return "header_limit";
    buf_init(&owner, ADDRESS_MAX);
    reason = outgoing_not_ours(work->mail, work->settings, &owner);
    work->plan->record.owner = outgoing_keep(work->plan, buf_slice(&owner));
    buf_free(&owner);
    return reason;
}

/* Our control headers go, whatever else is decided, once the mail is ours. */
static const char *step_controls(struct outgoing_work *work)
{
    const struct header_list *headers = work->mail->headers;
    size_t most = work->plan->edits + CONTROLS_MAX;

    for (size_t at = headers->count; at-- > 0;) {
        const char *name = headers->field[at].name;
        unsigned nth = 1;

        if (!wishes_is_control(name) || is_gone_already(work, name))
            continue;
        if (work->plan->edits == most)
            return "too_many_controls"; /* numbering more of them costs time that a hostile mail shall not have */
        for (size_t above = 0; above < at; above++)
            nth += strcasecmp(headers->field[above].name, name) == 0;
        outgoing_remove_header(work->plan, name, nth);
    }
    work->plan->controls = work->plan->edits;
    return NULL;
}

/* One blank between two words, wherever a program folded the field. */
static void collapse_blanks(struct buf *text)
{
    size_t len = 0;

    for (size_t at = 0; at < text->len; at++) {
        bool blank = ascii_is_space(text->data[at]);

        if (!blank || (len && text->data[len - 1] != ' '))
            text->data[len++] = blank ? ' ' : text->data[at];
    }
    text->len = len && text->data[len - 1] == ' ' ? len - 1 : len;
}

/* Read early: a campaign's stops hold for mail that is not tracked too. */
static const char *step_campaign(struct outgoing_work *work)
{
    struct wishes *wishes = &work->wishes;
    struct buf name;

    *wishes = (struct wishes){
        .level = LEVEL_INDIVIDUAL, .views = work->conf->stamp.views, .links = work->conf->stamp.links};
    wishes_read(work->mail->headers, wishes);
    buf_init(&name, HEADER_BYTES_MAX);
    if (!header_text(work->mail->headers, "X-Spoor-Campaign", CAMPAIGN_KEPT, &name))
        work->plan->failed = true;
    collapse_blanks(&name);
    work->plan->record.campaign = outgoing_keep(work->plan, name.len ? buf_slice(&name) : outgoing_policy_campaign(work));
    buf_free(&name);
    return NULL;
}

static bool is_automatic(const struct header_list *headers)
{
    for (size_t at = 0; at < headers->count; at++) {
        struct slice word = slice_of(NULL, 0);

        if (strcasecmp(headers->field[at].name, "Auto-Submitted") == 0)
            word = keyword_of(headers->field[at].value);
        if (word.len && !slice_is_i(word, "no"))
            return true;
    }
    return false;
}

static const char *step_automatic(struct outgoing_work *work)
{
    if (header_value(work->mail->headers, "DKIM-Signature") && !work->conf->stamp.track_dkim_signed)
        return "dkim_signed";
    if (work->conf->stamp.track_auto_generated)
        return NULL;
    if (is_automatic(work->mail->headers))
        return "auto_submitted";
    return work->mail->envelope_sender.len ? NULL : "null_sender";
}

static bool list_has(const struct conf_list *list, struct slice address)
{
    for (size_t at = 0; at < list->count; at++)
        if (slice_is_i(address, list->item[at]))
            return true;
    return conf_list_has_domain(list, address_domain(address));
}

static const char *step_wishes(struct outgoing_work *work)
{
    const struct conf *conf = work->conf;

    if (conf->track_only.count && !list_has(&conf->track_only, work->plan->record.owner) &&
        !list_has(&conf->track_only, buf_slice(&work->sender)))
        return "track_only";
    if (work->wishes.unknown)
        return "unknown_wish"; /* whoever asks for something that we do not understand may have asked for nothing */
    return work->wishes.level == LEVEL_OFF ? "policy_off" : NULL;
}

static const char *step_degree(struct outgoing_work *work)
{
    const char *reason = NULL;

    work->degree = rewrite_degree_of(work->mail->headers, work->mail->body, (size_t)work->conf->stamp.body_limit,
                                     &reason);
    if (work->degree == REWRITE_BODY && work->mail->body_missing) {
        work->degree = REWRITE_HEADERS;
        reason = work->mail->body_missing;
    }
    if (work->degree == REWRITE_NOTHING)
        return reason;
    work->plan->reason = reason; /* the ladder goes on without the body */
    return NULL;
}

static const char *step_number(struct outgoing_work *work)
{
    const struct outgoing_settings *settings = work->settings;

    if (!settings->number(settings->arg, &work->plan->record.id))
        return "no_number";
    work->plan->tracked = true;
    return NULL;
}

/* Where each recipient gets a copy, the copy gets the field that is its own. */
static const char *step_unsubscribe(struct outgoing_work *work)
{
    if (work->plan->record.campaign.len && !outgoing_leaves_body(work))
        outgoing_unsubscribe(work);
    return NULL;
}

/* With a second pass that is only to know what the links are: their numbers are the same in every copy. */
static const char *step_body(struct outgoing_work *work)
{
    struct outgoing_plan *plan = work->plan;

    if (work->degree != REWRITE_BODY)
        return NULL;
    outgoing_body(work);
    plan->record.pixels = (uint8_t)(plan->rewrite.pixels > UINT8_MAX ? UINT8_MAX : plan->rewrite.pixels);
    outgoing_record_links(plan);
    return NULL;
}

static const char *step_pass_on(struct outgoing_work *work)
{
    const struct record_message *record = &work->plan->record;
    struct pass pass = {
        .message = record->id,
        .time_s = work->settings->now_s,
        .level = work->wishes.level,
        .body = work->plan->rewrite.edits > 0,
        .views = work->wishes.views,
        .links = work->wishes.links,
        .unsubscribe = record->campaign.len > 0,
        .owner = record->owner,
    };
    struct buf value;

    if (!outgoing_leaves_body(work))
        return NULL;
    buf_init(&value, HEADER_BYTES_MAX);
    if (!pass_write(work->settings->keys, &pass, record->sent_message_id, &value))
        work->plan->failed = true;
    /* All that came in are removed: the one to add is one more than there were. */
    outgoing_set_header(work->plan, PASS_HEADER, (unsigned)header_count(work->mail->headers, PASS_HEADER) + 1, &value);
    buf_free(&value);
    work->plan->passed_on = true;
    return NULL;
}

void outgoing_climb(struct outgoing_work *work, const struct outgoing_step *ladder, size_t steps)
{
    struct outgoing_plan *plan = work->plan;
    const char *end = NULL;

    for (size_t n = 0; n < steps && !end && !plan->failed; n++) {
        const char *before = plan->reason;

        end = ladder[n].take(work);
        if (end)
            plan->reason = end;
        way_note(&plan->way, ladder[n].name, plan->failed ? "memory" : plan->reason != before ? plan->reason : NULL);
    }
    if (plan->failed)
        plan->reason = "memory";
}

void outgoing_plan_make(const struct outgoing_mail *mail, const struct outgoing_settings *settings,
                        struct outgoing_plan *plan)
{
    static const struct outgoing_step ladder[] = {
        {"strange_pass", step_strange_pass},
        {"ours", step_ours},
        {"campaign", step_campaign},
        {"controls", step_controls},
        {"automatic", step_automatic},
        {"wishes", step_wishes},
        {"policy", outgoing_policy},
        {"degree", step_degree},
        {"number", step_number},
        {"recipients", outgoing_recipients},
        {"message_id", outgoing_message_id},
        {"references", outgoing_references},
        {"unsubscribe", step_unsubscribe},
        {"documents", outgoing_documents},
        {"body", step_body},
        {"record", outgoing_record},
        {"pass_on", step_pass_on},
        {"return_path", outgoing_return_path},
    };
    struct outgoing_work work = {.mail = mail, .settings = settings, .conf = settings->conf, .plan = plan};

    *plan = (struct outgoing_plan){.reason = NULL};
    buf_init(&work.sender, ADDRESS_MAX);
    buf_init(&work.client_id, HEADER_BYTES_MAX);
    buf_init(&work.token_id, MSGID_MAX);
    outgoing_from(mail->headers, &work.sender);
    outgoing_climb(&work, ladder, sizeof ladder / sizeof *ladder);
    buf_free(&work.sender);
    buf_free(&work.client_id);
    buf_free(&work.token_id);
}
