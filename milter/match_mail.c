/* SPDX-License-Identifier: BSD-2-Clause */
/* match_mail - see match_mail.h */

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "mail/auth_results.h"
#include "mail/campaign.h"
#include "mail/incoming_site.h"
#include "mail/msgid.h"
#include "mail/rewrite.h"
#include "mail/rewrite_degree.h"
#include "mail/thread.h"
#include "mail/tracking.h"
#include "milter/mail_record.h"
#include "milter/match_mail.h"
#include "milter/match_question.h"
#include "milter/match_return.h"
#include "milter/match_stop.h"
#include "milter/match_text.h"
#include "milter/match_unsubscribe.h"
#include "milter/sent_ids.h"
#include "milter/way_log.h"

#include <inttypes.h>

/* --- what the judge asks of the world ------------------------------------------------------------ */

_Static_assert((int)INCOMING_KEPT_MAX <= (int)SENT_IDS_MAX, "all are asked for");

/* Ids that we left as they were. */
static void find_kept_ids(void *arg, struct sent_id *ids, size_t count)
{
    struct match_question *question = arg;
    struct match_filter *filter = question->filter;

    sent_ids_find(filter->cache, &filter->databases, ids, count, question->until_ms);
}

static void find_original(void *arg, uint64_t message, struct slice address, struct original *original)
{
    struct match_question *question = arg;
    struct db *db = match_question_take(question, message);

    if (!db)
        return;
    store_find_original(db, message, address, original, match_question_left_ms(question));
    match_question_give(question, message, db);
}

static struct incoming_mail mail_of(const struct mlfi_message *message)
{
    return (struct incoming_mail){
        .headers = &message->headers,
        .body = buf_slice(&message->body),
        .envelope_sender = message->envelope_sender,
        .recipient = message->recipient,
        .recipients = message->recipients,
        .authenticated = message->login[0] != '\0',
    };
}

static bool judge(struct match_question *question, const struct mlfi_message *message, struct incoming_verdict *verdict)
{
    struct incoming_site site = {.conf = question->filter->conf, .keys = question->filter->keys};
    struct incoming_mail mail = mail_of(message);
    struct incoming_lookup lookup;

    incoming_site_lookup(&site, &lookup);
    lookup.arg = question;
    lookup.kept_ids = find_kept_ids;
    lookup.original = find_original;
    return incoming_judge(&mail, &lookup, verdict);
}

/* May a reply from an address that the mail did not go to end the campaign? Not when our own server doubts its sender. */
static bool others_count(const struct match_question *question, const struct mlfi_message *message)
{
    return question->filter->conf->match.stop_on_other &&
           auth_results_read(&message->headers, message->host) != AUTH_RESULTS_FAIL;
}

/* Before the answer is accepted, so that no later mail of the campaign goes. */
static void stop_campaign(const struct match_question *question, const struct mlfi_message *message,
                          const struct incoming_verdict *verdict)
{
    struct record_stop stop;

    if (campaign_stop_of(verdict, others_count(question, message), clock_wall_us(), &stop))
        match_stop(question, &stop);
}

/* Before the mail is accepted, like a stop. */
static void unsubscribe(const struct match_question *question, const struct mlfi_message *message)
{
    struct match_filter *filter = question->filter;
    struct incoming_mail mail = mail_of(message);
    struct incoming_site site = {.conf = filter->conf, .keys = filter->keys};
    struct incoming_lookup lookup;
    struct unsubscribe_request request;

    incoming_site_lookup(&site, &lookup);
    if (!unsubscribe_request_read(&mail, &lookup, filter->conf->unsubscribe_address, &request))
        return;
    if (!request.ignored && auth_results_read(&message->headers, message->host) == AUTH_RESULTS_FAIL)
        request.ignored = "unauthenticated";
    if (!request.ignored && filter->conf->mode == MODE_OBSERVE)
        request.ignored = "observe";
    if (request.ignored) {
        log_info("unsubscribe=ignored message=%" PRIu64 " whom=<%s> reason=%s", request.message, request.from, request.ignored);
        return;
    }
    match_unsubscribe(question, &request);
}

/* --- record ---------------------------------------------------------------------------------------- */

static bool write_record(const struct match_question *question, const struct mlfi_message *message,
                         const struct incoming_verdict *verdict)
{
    struct match_filter *filter = question->filter;
    struct record_answer answer;
    struct buf payload, text;
    bool written;

    buf_init(&text, MATCH_TEXT_MAX);
    match_text(question, message, verdict, &text);
    incoming_record(verdict, &answer);
    answer.time_us = clock_wall_us();
    answer.host = slice_str(message->host);
    answer.queue_id = slice_str(message->queue_id);
    answer.text = buf_slice(&text);
    buf_init(&payload, RECORD_BYTES_MAX);
    record_answer_encode(&answer, &payload);
    written = mail_record_write(filter->recorder, RECORD_ANSWER, &payload);
    buf_free(&payload);
    buf_free(&text);
    return written;
}

/* --- what is edited: the thread, then the quoted text -------------------------------------------------- */

/* On a submission service it records and edits nothing. */
static bool may_edit(const struct match_filter *filter, const struct mlfi_message *message)
{
    return filter->conf->mode != MODE_OBSERVE && !message->login[0];
}

/* Mail that is forwarded on must keep its signature, so every recipient must be one whose mailbox is here. */
static bool may_edit_content(const struct match_filter *filter, const struct mlfi_message *message)
{
    const struct conf *conf = filter->conf;
    const struct conf_list *domains =
        conf->match.clean_recipients.count ? &conf->match.clean_recipients : &conf->local_domains;

    if (!conf->match.clean || !may_edit(filter, message))
        return false;
    for (size_t at = 0; at < message->recipients; at++)
        if (!conf_list_has_domain(domains, address_domain(message->recipient[at])))
            return false;
    return message->recipients > 0;
}

/* False when the MTA did not take the field. A mail whose own signature covers its header (RFC 9788) stays as it is. */
static bool mend(const struct match_filter *filter, struct mlfi_message *message,
                 const struct incoming_verdict *verdict, bool *mended)
{
    const char *reason;
    struct buf field;
    bool taken = true;

    buf_init(&field, MSGID_MAX + 3);
    *mended = thread_mend(&message->headers, verdict, &field) &&
              rewrite_degree_of(&message->headers, buf_slice(&message->body), (size_t)filter->conf->match.body_limit,
                                &reason) != REWRITE_NOTHING;
    if (*mended)
        taken = smfi_chgheader(message->ctx, (char *)(uintptr_t)"In-Reply-To", 1, field.data) == MI_SUCCESS;
    buf_free(&field);
    return taken;
}

/* False when the MTA did not take the new body. */
static bool clean(struct match_filter *filter, struct mlfi_message *message, unsigned *cleaned)
{
    struct tracking tracking = {.keys = filter->keys, .tracking_url = filter->conf->tracking_url};
    struct rewrite_settings settings = {
        .urls = tracking_urls(&tracking),
        .tracking_url = filter->conf->tracking_url,
        .clean = true,
        .body_limit = (size_t)filter->conf->match.body_limit,
    };
    struct rewrite_result result;
    bool taken = true;

    if (message->body_missing)
        return true;
    if (rewrite(&message->headers, buf_slice(&message->body), &settings, &result) && result.changed) {
        taken = smfi_replacebody(message->ctx, (unsigned char *)result.body.data, (int)result.body.len) == MI_SUCCESS;
        *cleaned = result.cleaned;
    }
    rewrite_result_free(&result);
    return taken;
}

struct done {
    unsigned cleaned; /* images and links taken out */
    bool mended;      /* In-Reply-To */
    bool recorded;
};

/* --- one mail ------------------------------------------------------------------------------------------ */

static void log_mail(const struct mlfi_message *message, const struct incoming_verdict *verdict,
                     const struct done *done)
{
    struct buf about;

    if (verdict->forged)
        log_warn("forged=yes from=<%.*s>: an id of our shape is not signed by us", SLICE_ARG(message->envelope_sender));
    if (verdict->class_ == ANSWER_NONE) {
        log_info("class=none from=<%.*s> recipients=%zu%s%s", SLICE_ARG(message->envelope_sender), message->recipients,
                 message->body_missing ? " reason=" : "", message->body_missing ? message->body_missing : "");
        return;
    }
    buf_init(&about, 2 * ADDRESS_MAX);
    if (verdict->about[0])
        buf_add_f(&about, " about=<%s> effect=%s", verdict->about, verdict->effect ? "yes" : "no");
    buf_add_str(&about, verdict->answerer == ANSWERER_OTHER && verdict->same_domain ? " same_domain=yes" : "");
    buf_add_str(&about, done->mended ? " mended=yes" : "");
    log_info("class=%s rung=%s confidence=%s message=%" PRIu64 " answerer=%s from=<%s> recipients=%zu cleaned=%u%s%s",
             answer_class_name(verdict->class_), answer_rung_name(verdict->rung),
             answer_confidence_name(verdict->confidence), verdict->message, answer_answerer_name(verdict->answerer),
             verdict->from, message->recipients, done->cleaned, buf_text(&about), done->recorded ? "" : " reason=not_recorded");
    buf_free(&about);
    if (message->body_missing)
        log_info("body=unread reason=%s", message->body_missing);
}

/* Stops and records; false when the record could not be written. */
static bool note(const struct match_question *question, const struct mlfi_message *message,
                 const struct incoming_verdict *verdict)
{
    if (question->filter->conf->mode == MODE_OBSERVE || verdict->itself)
        return true;
    stop_campaign(question, message, verdict);
    return write_record(question, message, verdict);
}

/* Mail of local programs is not from the world: of it only what the MTA reports itself is looked at. */
static bool is_own_mail(const struct mlfi_message *message)
{
    return !message->by_smtp && message->envelope_sender.len > 0;
}

sfsistat match_mail_finish(void *arg, struct mlfi_message *message)
{
    struct match_filter *filter = arg;
    struct match_question question = match_question_begin(filter);
    struct incoming_verdict verdict;
    struct done done = {.recorded = true};
    bool taken;

    if (is_own_mail(message))
        return SMFIS_CONTINUE;
    unsubscribe(&question, message);
    if (!judge(&question, message, &verdict)) {
        log_err("no memory to judge a mail: it passes untouched");
        return SMFIS_CONTINUE;
    }
    way_log(&verdict.way);
    if (verdict.class_ != ANSWER_NONE)
        done.recorded = note(&question, message, &verdict);
    taken = !may_edit(filter, message) || match_return(&question, message);
    if (taken && done.recorded && verdict.class_ != ANSWER_NONE && may_edit_content(filter, message))
        taken = mend(filter, message, &verdict, &done.mended) && clean(filter, message, &done.cleaned);
    log_mail(message, &verdict, &done);
    incoming_verdict_free(&verdict);
    return taken ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}
