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
#include "milter/match_stop.h"
#include "milter/match_unsubscribe.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum { NUMBER_TEXT = 24, ID_CACHED_S = 24 * 3600 };

/* One mail's questions share one deadline: a database that hangs holds no mail longer. */
struct question {
    struct match_filter *filter;
    int64_t until_ms; /* CLOCK_MONOTONIC */
};

/* --- what the judge asks of the world ------------------------------------------------------------ */

static int left_ms(const struct question *question)
{
    int64_t left = question->until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

/* A connection that stands, to be given back; NULL when the database is away or time is up. */
static struct db *take_database(const struct question *question)
{
    struct db_pool *databases = question->filter->databases;
    struct db *db = db_pool_wait(databases, left_ms(question));

    if (db && !db_connect(db, left_ms(question))) {
        db_pool_give(databases, db);
        db = NULL;
    }
    return db;
}

static enum token_result verify_token(void *arg, struct slice text, struct token *token)
{
    struct question *question = arg;

    return token_verify(question->filter->keys, text, slice_str(""), token);
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    const struct match_filter *filter = ((struct question *)arg)->filter;

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
    struct question *question = arg;
    struct match_filter *filter = question->filter;
    char number[NUMBER_TEXT];
    struct db *db;
    bool found;

    if (cached_id(filter, id, message))
        return true;
    db = take_database(question);
    if (!db)
        return false;
    found = store_find_message(db, id, message, left_ms(question)) == STORE_YES;
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
    struct question *question = arg;
    enum store_relation relation = RELATION_NONE;
    enum store_answer answer;
    struct db *db = take_database(question);

    if (!db)
        return INCOMING_RELATION_UNKNOWN;
    answer = store_relation_of(db, message, address, &relation, left_ms(question));
    db_pool_give(question->filter->databases, db);
    return answer == STORE_AWAY ? INCOMING_RELATION_UNKNOWN : meaning[relation];
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    struct question *question = arg;

    return keys_recipient(question->filter->keys, address);
}

static bool is_local_domain(void *arg, struct slice domain)
{
    struct question *question = arg;

    return conf_list_has_domain(&question->filter->conf->local_domains, domain);
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

static struct incoming_lookup lookup_of(struct question *question)
{
    return (struct incoming_lookup){
        .arg = question,
        .token = verify_token,
        .url = verify_url,
        .tracking_url = question->filter->conf->tracking_url,
        .kept_id = find_kept_id,
        .relation = find_relation,
        .recipient_key = recipient_key,
        .is_local_domain = is_local_domain,
    };
}

static bool judge(struct question *question, const struct mlfi_message *message, struct incoming_verdict *verdict)
{
    struct incoming_mail mail = mail_of(message);
    struct incoming_lookup lookup = lookup_of(question);

    return incoming_judge(&mail, &lookup, verdict);
}

/* May a reply from an address that the mail did not go to end the campaign? Not when our own server doubts its sender. */
static bool others_count(const struct question *question, const struct mlfi_message *message)
{
    return question->filter->conf->match.stop_on_other &&
           auth_results_read(&message->headers, message->host) != AUTH_RESULTS_FAIL;
}

/* Before the answer is accepted, so that no later mail of the campaign goes. */
static void stop_campaign(struct question *question, const struct mlfi_message *message,
                          const struct incoming_verdict *verdict)
{
    struct match_filter *filter = question->filter;
    struct record_stop stop;
    struct db *db;

    if (!campaign_stop_of(verdict, others_count(question, message), clock_wall_us(), &stop))
        return;
    db = take_database(question);
    match_stop(filter, &stop, db, left_ms(question));
    db_pool_give(filter->databases, db);
}

/* Before the mail is accepted, like a stop. */
static void unsubscribe(struct question *question, const struct mlfi_message *message)
{
    struct match_filter *filter = question->filter;
    struct incoming_mail mail = mail_of(message);
    struct incoming_lookup lookup = lookup_of(question);
    struct unsubscribe_request request;
    struct db *db;

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
    db = take_database(question);
    match_unsubscribe(filter, &request, db, left_ms(question));
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

/* Mail that is forwarded on must keep its signature, so every recipient must be one whose mailbox is here. */
static bool may_clean(const struct match_filter *filter, const struct mlfi_message *message)
{
    const struct conf *conf = filter->conf;
    const struct conf_list *domains =
        conf->match.clean_recipients.count ? &conf->match.clean_recipients : &conf->local_domains;

    if (!conf->match.clean || conf->mode == MODE_OBSERVE || message->body_missing || message->login[0])
        return false; /* on a submission service it records and edits nothing */
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

sfsistat match_filter_finish(void *arg, struct mlfi_message *message)
{
    struct match_filter *filter = arg;
    struct question question = {
        .filter = filter, .until_ms = clock_monotonic_ms() + filter->conf->database_timeout_ms};
    struct incoming_verdict verdict;
    unsigned cleaned = 0;
    bool recorded = true;
    bool taken = true;

    unsubscribe(&question, message);
    if (!judge(&question, message, &verdict)) {
        log_err("no memory to judge a mail: it passes untouched");
        return SMFIS_CONTINUE;
    }
    if (verdict.class_ != ANSWER_NONE) {
        if (filter->conf->mode != MODE_OBSERVE && !verdict.itself) {
            stop_campaign(&question, message, &verdict);
            recorded = write_record(filter, message, &verdict);
        }
        if (recorded && may_clean(filter, message))
            taken = clean(filter, message, &cleaned);
    }
    log_mail(message, &verdict, cleaned, recorded);
    incoming_verdict_free(&verdict);
    return taken ? SMFIS_CONTINUE : SMFIS_TEMPFAIL;
}
