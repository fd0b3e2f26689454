/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_body - image and links of an outgoing mail, by what was decided about it */

#include "mail/outgoing_work.h"
#include "mail/tracking.h"

static struct rewrite_patterns patterns_of(const struct conf_list *list)
{
    return (struct rewrite_patterns){.item = list->item, .count = list->count};
}

enum { CARRIED_MAX = 100 /* documents of other mails that a mail links; more of them name no recipient any more */ };

struct body {
    struct tracking tracking;
    struct rewrite_settings settings;
    struct tracking_document document[CARRIED_MAX];
};

/* The page behind the link acts for the one whom its token names. */
static bool may_ask_consent(const struct outgoing_work *work)
{
    return work->conf->stamp.consent_footer && work->recipient;
}

/* What is the same in each rewriting of the body: the files that leave, and whose links lead where. */
static void prepare(const struct outgoing_work *work, struct body *body)
{
    const struct document_list *documents = work->plan->documents;
    const struct conf *conf = work->conf;

    *body = (struct body){.tracking = {
                              .keys = work->settings->keys,
                              .tracking_url = conf->tracking_url,
                              .message = work->plan->record.id,
                              .recipient = work->recipient,
                              .aggregate = work->wishes.level == LEVEL_AGGREGATE,
                              .documents_max = CARRIED_MAX,
                          }};
    body->tracking.document = body->document;
    body->settings = (struct rewrite_settings){
        .tracking_url = conf->tracking_url,
        .add_pixel = work->wishes.views,
        .add_decoy = work->wishes.links && conf->stamp.decoy_link, /* without links there is nobody to tell apart */
        .consent_text = may_ask_consent(work) && (work->wishes.views || work->wishes.links) ? conf->stamp.consent_text : NULL,
        .track_links = work->wishes.links,
        .text_links = work->wishes.links && conf->stamp.text_links,
        .sensitive = patterns_of(&conf->stamp.sensitive_links),
        .untracked = patterns_of(&conf->stamp.untracked_domains),
        .clean = true,
        .document = documents ? documents->item : NULL,
        .documents = documents ? documents->count : 0,
        .body_limit = (size_t)conf->stamp.body_limit,
    };
    body->settings.urls = tracking_urls(&body->tracking);
}

static void rewrite_body(struct outgoing_work *work, struct body *body)
{
    struct rewrite_result *result = &work->plan->rewrite;

    rewrite_result_free(result);
    if (!rewrite(work->mail->headers, work->mail->body, &body->settings, result))
        work->plan->failed = true;
}

/* Once the links to other mails' documents are known they become this mail's, where somebody can be asked. */
static bool carry(struct outgoing_work *work, struct body *body)
{
    const struct outgoing_settings *settings = work->settings;
    unsigned own = outgoing_plan_documents(work->plan);

    if (!body->tracking.documents || !settings->carry || !work->documents)
        return false;
    settings->carry(settings->arg, &work->plan->record, own + 1, body->document, body->tracking.documents);
    for (size_t at = 0; at < body->tracking.documents; at++)
        work->plan->carried += body->document[at].number > 0;
    return work->plan->carried > 0;
}

/* Twice or three times only for a mail with such links, or with files and a page that cannot take them. */
static void rewrite_with_documents(struct outgoing_work *work, struct body *body)
{
    rewrite_body(work, body);
    if (!work->plan->failed && !work->plan->carried && carry(work, body))
        rewrite_body(work, body);
    if (!work->plan->failed && work->plan->rewrite.documents_hidden) {
        body->settings.documents_page = true;
        rewrite_body(work, body);
    }
}

/*
 * A text says so where something in the mail tells its sender: not where all there is is the Message-ID, by which nobody learns
 * that it was read.
 */
static void ask_consent(struct outgoing_work *work, struct body *body)
{
    const struct rewrite_result *result = &work->plan->rewrite;
    bool documents = result->detached > 0 || result->documents > 0;

    if (work->plan->failed || !may_ask_consent(work) || !(result->pixels || result->wrapped || documents))
        return;
    body->settings.consent_text = work->conf->stamp.consent_text;
    body->settings.consent_in_text = true;
    rewrite_body(work, body);
}

static bool is_whole_mail(const struct outgoing_plan *plan)
{
    return plan->documents->item[0].part == 0;
}

/* The first pass leaves all else to the second: what is about one recipient, or may be otherwise for another. */
static void share_body(struct outgoing_work *work, struct body *body)
{
    struct rewrite_result *result = &work->plan->rewrite;
    struct rewrite_settings settings = {
        .urls = body->settings.urls,
        .tracking_url = body->settings.tracking_url,
        .document = body->settings.document,
        .documents = body->settings.documents,
        .documents_page = body->settings.documents_page,
        .body_limit = body->settings.body_limit,
    };
    struct rewrite_result shared;

    buf_free(&result->body);
    result->changed = false;
    if (work->plan->failed || !outgoing_plan_documents(work->plan))
        return;
    body->tracking.recipient = 0;
    if (!rewrite(work->mail->headers, work->mail->body, &settings, &shared)) {
        work->plan->failed = true;
        return;
    }
    result->changed = shared.changed;
    result->body = shared.body;
    shared.body = (struct buf){.data = NULL};
    rewrite_result_free(&shared);
}

void outgoing_body(struct outgoing_work *work)
{
    struct outgoing_plan *plan = work->plan;
    struct body body;

    prepare(work, &body);
    rewrite_with_documents(work, &body);
    ask_consent(work, &body);
    if (outgoing_leaves_body(work))
        share_body(work, &body);
    if (plan->rewrite.detached && is_whole_mail(plan))
        outgoing_document_header(work);
    plan->reason = plan->rewrite.reason;
}
