/* SPDX-License-Identifier: BSD-2-Clause */
/* match_filter - see match_filter.h */

#include "common/address.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "common/token.h"
#include "mail/auth_results.h"
#include "mail/campaign.h"
#include "mail/incoming.h"
#include "mail/tracking.h"
#include "milter/match_filter.h"
#include "milter/match_question.h"
#include "milter/match_return.h"
#include "milter/match_stop.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { NUMBER_TEXT = 24, ID_CACHED_S = 24 * 3600 };

/* --- what the judge asks of the world ------------------------------------------------------------ */

static enum token_result verify_token(void *arg, struct slice text, struct token *token)
{
    struct match_question *question = arg;

    return token_verify(question->filter->keys, text, slice_str(""), token);
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    const struct match_filter *filter = ((struct match_question *)arg)->filter;

    return tracking_verify_url(filter->keys, filter->conf->tracking_url, url, token, NULL);
}

static bool cached_id(struct match_filter *filter, struct slice id, uint64_t *message)
{
    struct buf number;
    bool found;

    buf_init(&number, NUMBER_TEXT);
    found = cache_get(filter->cache, "message_id", id, &number) && number.len;
    if (found)
        *message = strtoull(number.data, NULL, 10);
    buf_free(&number);
    return found;
}

/* An id that we left as it was: known by the cache or the database. */
static bool find_kept_id(void *arg, struct slice id, uint64_t *message)
{
    struct match_question *question = arg;
    struct match_filter *filter = question->filter;
    char number[NUMBER_TEXT];
    struct db *db;
    bool found;

    if (cached_id(filter, id, message))
        return true;
    db = match_question_database(question);
    if (!db)
        return false;
    found = store_find_message(db, id, message, match_question_left_ms(question)) == STORE_YES;
    db_pool_give(filter->databases, db);
    if (found) {
        snprintf(number, sizeof number, "%" PRIu64, *message);
        cache_set(filter->cache, "message_id", id, slice_str(number), ID_CACHED_S);
    }
    return found;
}

static enum incoming_relation find_relation(void *arg, uint64_t message, struct slice address)
{
    static const enum incoming_relation meaning[] = {
        [RELATION_NONE] = INCOMING_RELATION_NONE,
        [RELATION_RECIPIENT] = INCOMING_RELATION_RECIPIENT,
        [RELATION_OWNER] = INCOMING_RELATION_OWNER,
    };
    struct match_question *question = arg;
    enum store_relation relation = RELATION_NONE;
    enum store_answer answer;
    struct db *db = match_question_database(question);

    if (!db)
        return INCOMING_RELATION_UNKNOWN;
    answer = store_relation_of(db, message, address, &relation, match_question_left_ms(question));
    db_pool_give(question->filter->databases, db);
    return answer == STORE_AWAY ? INCOMING_RELATION_UNKNOWN : meaning[relation];
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    struct match_question *question = arg;

    return keys_recipient(question->filter->keys, address);
}

static bool is_local_domain(void *arg, struct slice domain)
{
    struct match_question *question = arg;

    return conf_list_has_domain(&question->filter->conf->local_domains, domain);
}

static bool judge(struct match_question *question, const struct mlfi_message *message, struct incoming_verdict *verdict)
{
    struct incoming_mail mail = {
        .headers = &message->headers,
        .body = buf_slice(&message->body),
        .envelope_sender = message->envelope_sender,
        .recipient = message->recipient,
        .recipients = message->recipients,
        .authenticated = message->login[0] != '\0',
    };
    struct incoming_lookup lookup = {
        .arg = question,
        .token = verify_token,
        .url = verify_url,
        .tracking_url = question->filter->conf->tracking_url,
        .kept_id = find_kept_id,
        .relation = find_relation,
        .recipient_key = recipient_key,
        .is_local_domain = is_local_domain,
    };

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
    struct match_filter *filter = question->filter;
    struct record_stop stop;
    struct db *db;

    if (!campaign_stop_of(verdict, others_count(question, message), clock_wall_us(), &stop))
        return;
    db = match_question_database(question);
    match_stop(filter, &stop, db, match_question_left_ms(question));
    db_pool_give(filter->databases, db);
}

/* --- record ---------------------------------------------------------------------------------------- */

static bool write_record(struct match_filter *filter, const struct mlfi_message *message,
                         const struct incoming_verdict *verdict)
{
    struct record_answer answer;
    struct timespec now;
    struct buf payload;
    bool written;

    clock_gettime(CLOCK_REALTIME, &now);
    incoming_record(verdict, &answer);
    answer.time_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    answer.host = slice_str(message->host);
    answer.queue_id = slice_str(message->queue_id);
    buf_init(&payload, RECORD_BYTES_MAX);
    record_answer_encode(&answer, &payload);
    written = mlfi_record(filter->recorder, RECORD_ANSWER, &payload);
    buf_free(&payload);
    return written;
}

/* --- cleaning the quoted text ------------------------------------------------------------------------ */

/* On a submission service it records and edits nothing. */
static bool may_edit(const struct match_filter *filter, const struct mlfi_message *message)
{
    return filter->conf->mode != MODE_OBSERVE && !message->login[0];
}

/* Mail that is forwarded on must keep its signature, so every recipient must be one whose mailbox is here. */
static bool may_clean(const struct match_filter *filter, const struct mlfi_message *message)
{
    const struct conf *conf = filter->conf;
    const struct conf_list *domains =
        conf->match.clean_recipients.count ? &conf->match.clean_recipients : &conf->local_domains;

    if (!conf->match.clean || message->body_missing || !may_edit(filter, message))
        return false;
    for (size_t at = 0; at < message->recipients; at++)
        if (!conf_list_has_domain(domains, address_domain(message->recipient[at])))
            return false;
    return message->recipients > 0;
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

    if (rewrite(&message->headers, buf_slice(&message->body), &settings, &result) && result.changed) {
        taken = smfi_replacebody(message->ctx, (unsigned char *)result.body.data, (int)result.body.len) == MI_SUCCESS;
        *cleaned = result.cleaned;
    }
    rewrite_result_free(&result);
    return taken;
}

/* --- one mail ------------------------------------------------------------------------------------------ */

static void log_mail(const struct mlfi_message *message, const struct incoming_verdict *verdict, unsigned cleaned,
                     bool recorded)
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
    log_info("class=%s rung=%s confidence=%s message=%" PRIu64 " answerer=%s from=<%s> recipients=%zu cleaned=%u%s%s",
             answer_class_name(verdict->class_), answer_rung_name(verdict->rung),
             answer_confidence_name(verdict->confidence), verdict->message, answer_answerer_name(verdict->answerer),
             verdict->from, message->recipients, cleaned, buf_text(&about), recorded ? "" : " reason=not_recorded");
    buf_free(&about);
    if (message->body_missing)
        log_info("judged by its headers alone: reason=%s", message->body_missing);
}

/* Stops and records; false when the record could not be written. */
static bool note(const struct match_question *question, const struct mlfi_message *message,
                 const struct incoming_verdict *verdict)
{
    if (question->filter->conf->mode == MODE_OBSERVE || verdict->itself)
        return true;
    stop_campaign(question, message, verdict);
    return write_record(question->filter, message, verdict);
}

/* Mail of local programs is not from the world: of it only what the MTA reports itself is looked at. */
static bool is_own_mail(const struct mlfi_message *message)
{
    return !message->by_smtp && message->envelope_sender.len > 0;
}

sfsistat match_filter_finish(void *arg, struct mlfi_message *message)
{
    struct match_filter *filter = arg;
    struct match_question question = match_question_begin(filter);
    struct incoming_verdict verdict;
    unsigned cleaned = 0;
    bool recorded = true;
    bool taken;

    if (is_own_mail(message))
        return SMFIS_CONTINUE;
    if (!judge(&question, message, &verdict)) {
        log_err("no memory to judge a mail: it passes untouched");
        return SMFIS_CONTINUE;
    }
    if (verdict.class_ != ANSWER_NONE)
        recorded = note(&question, message, &verdict);
    taken = !may_edit(filter, message) || match_return(&question, message);
    if (taken && recorded && verdict.class_ != ANSWER_NONE && may_clean(filter, message))
        taken = clean(filter, message, &cleaned);
    log_mail(message, &verdict, cleaned, recorded);
    incoming_verdict_free(&verdict);
    return taken ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}
