/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_campaign - see stamp_campaign.h */

#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "milter/stamp_campaign.h"
#include "milter/stamp_refusal.h"

#include <inttypes.h>
#include <stdlib.h>

enum { REPLY_MAX = 900, LIST_MAX = 4000 };

/* --- what the database says ------------------------------------------------------------------------------ */

static void on_block(void *arg, const struct store_block *block)
{
    campaign_block(arg, block->address, block->reason, block->since_us, block->until_us);
}

/* One address may have been given twice. */
static bool is_repeated(const struct campaign *campaign, size_t at)
{
    for (size_t before = 0; before < at; before++)
        if (strcmp(campaign->recipient[before].address, campaign->recipient[at].address) == 0)
            return true;
    return false;
}

static bool has(const struct record_recipient *recipient, size_t recipients, struct slice address)
{
    for (size_t at = 0; at < recipients; at++)
        if (slice_eq(recipient[at].address, address))
            return true;
    return false;
}

/* Who is not named in a mail that names its recipients has asked for that. */
static struct store_reached reached_of(const struct outgoing_plan *plan, const struct campaign_recipient *recipient)
{
    const struct record_message *record = &plan->record;
    struct store_reached reached = {.copied = recipient->copied};
    struct slice address = slice_str(recipient->address);

    if (record->level != LEVEL_INDIVIDUAL || has(record->recipient, record->recipients, address))
        return reached;
    reached.unnamed = true;
    reached.off = !has(record->recipient + record->recipients, plan->counted, address);
    return reached;
}

/* The recipients as the question has them: each address once, with its key when the mail names its recipients. */
static bool list_recipients(const struct campaign *campaign, const struct outgoing_plan *plan, struct record_message *question,
                            struct store_reached *reached)
{
    for (size_t at = 0; at < campaign->recipients; at++) {
        const struct campaign_recipient *recipient = &campaign->recipient[at];
        struct slice address = slice_str(recipient->address);

        if (!address.len || is_repeated(campaign, at) || recipient->state == CAMPAIGN_STOPPED)
            continue;
        reached[question->recipients] = reached_of(plan, recipient);
        question->recipient[question->recipients++] = (struct record_recipient){
            .address = address, .key = record_message_key(&plan->record, address)};
    }
    return question->recipients > 0;
}

static bool ask_pool(struct stamp_filter *filter, struct db_pool *databases, const struct record_message *question,
                     const struct store_reached *reached, void (*blocked)(void *arg, const struct store_block *block),
                     struct campaign *campaign)
{
    int64_t until_ms = clock_monotonic_ms() + filter->conf->database_timeout_ms;
    bool by_domain = filter->conf->stamp.campaign_stop_scope == STOP_SCOPE_DOMAIN;
    struct db *db = db_pool_wait(databases, clock_left_ms(until_ms));
    bool answered;

    if (!db)
        return false;
    answered = store_admit(db, question, reached, by_domain, filter->conf->stamp.pause_max_s, blocked, campaign,
                           clock_left_ms(until_ms)) == STORE_YES;
    if (!answered)
        log_warn("cannot ask the database about a campaign: %s", db_error(db));
    db_pool_give(databases, db);
    return answered;
}

/* ID 0: nothing is recorded. */
static bool ask(struct stamp_filter *filter, struct db_pool *databases, const struct outgoing_plan *plan, uint64_t id,
                void (*blocked)(void *arg, const struct store_block *block), struct campaign *campaign)
{
    struct record_message question = plan->record;
    struct store_reached *reached = calloc(campaign->recipients + 1, sizeof *reached);
    bool answered = false;

    question.id = id;
    question.recipients = 0;
    question.recipient = calloc(campaign->recipients + 1, sizeof *question.recipient);
    if (reached && question.recipient)
        answered = !list_recipients(campaign, plan, &question, reached) ||
                   ask_pool(filter, databases, &question, reached, blocked, campaign);
    free(question.recipient);
    free(reached);
    return answered;
}

/* Stops are the first server's to tell; in the same transaction it records its own mails. */
static bool ask_first(struct stamp_filter *filter, const struct outgoing_plan *plan, struct campaign *campaign)
{
    uint64_t id = shard_pools_is_first(&filter->databases, plan->record.id) ? plan->record.id : 0;

    return ask(filter, shard_pools_first(&filter->databases), plan, id, on_block, campaign);
}

static void ignore_block(void *arg, const struct store_block *block)
{
    (void)arg, (void)block;
}

/* What goes is on its own server before it goes: an answer then finds whose campaign it ends. */
static bool record_at_shard(struct stamp_filter *filter, const struct outgoing_plan *plan, struct campaign *campaign)
{
    uint64_t id = plan->record.id;

    return shard_pools_is_first(&filter->databases, id) ||
           ask(filter, shard_pools_of(&filter->databases, id), plan, id, ignore_block, campaign);
}

/* While a server is away, stops by answers to its mails wait in spools. */
static bool do_others_answer(struct stamp_filter *filter)
{
    int64_t until_ms = clock_monotonic_ms() + filter->conf->database_timeout_ms;
    struct db *db[SHARDS];
    bool answer = shard_pools_take(&filter->databases, 1, db, until_ms), sent[SHARDS];

    for (unsigned shard = 0; shard < SHARDS; shard++)
        sent[shard] = db[shard] && answer && store_send_nothing(db[shard]);
    if (answer)
        db_await(db, SHARDS, clock_left_ms(until_ms), clock_left_ms(until_ms));
    for (unsigned shard = 0; shard < SHARDS; shard++)
        answer &= sent[shard] ? store_receive_nothing(db[shard]) : !db[shard];
    shard_pools_give(&filter->databases, db);
    return answer;
}

/* --- while it is not known --------------------------------------------------------------------------------- */

/* Stops of the time when the database was away are still on their way to it. */
static bool is_unsettled(struct stamp_filter *filter)
{
    struct buf flag;
    bool unsettled = atomic_load(&filter->unsettled_until_ms) > clock_monotonic_ms();

    buf_init(&flag, 64);
    unsettled = unsettled || cache_get(filter->cache, CACHE_CAMPAIGN, slice_str("unsettled"), &flag);
    buf_free(&flag);
    return unsettled;
}

/* False when it cannot be said who is stopped. */
static bool is_known(struct stamp_filter *filter, const struct outgoing_plan *plan, struct campaign *campaign)
{
    bool waits = filter->conf->stamp.campaign_unknown == CAMPAIGN_UNKNOWN_TEMPFAIL;

    if (waits && is_unsettled(filter))
        return false;
    if (ask_first(filter, plan, campaign) && (!waits || do_others_answer(filter)))
        return true;
    atomic_store(&filter->unsettled_until_ms, clock_monotonic_ms() + filter->conf->campaign_settle_s * 1000);
    return false;
}

static bool go_unknown(const struct stamp_filter *filter, const struct mlfi_message *message, struct slice name,
                       sfsistat *answer)
{
    bool goes = filter->conf->stamp.campaign_unknown == CAMPAIGN_UNKNOWN_SEND;

    log_info("campaign=unknown action=%s from=<%.*s> recipients=%zu name=%.*s", goes ? "send" : "later",
             SLICE_ARG(message->envelope_sender), message->recipients, SLICE_ARG(name));
    if (!goes) {
        smfi_setreply(message->ctx, (char *)(uintptr_t)"451", (char *)(uintptr_t)"4.3.0",
                      (char *)(uintptr_t)"it is not known who has answered this campaign; try again");
        *answer = SMFIS_TEMPFAIL;
    }
    return goes;
}

/* --- what follows for the mail ------------------------------------------------------------------------------- */

static void log_verdict(const struct mlfi_message *message, const struct campaign *campaign,
                        const struct campaign_verdict *verdict, struct slice name)
{
    struct buf list;

    buf_init(&list, LIST_MAX);
    for (size_t at = 0; at < campaign->recipients; at++)
        if (campaign->recipient[at].state == CAMPAIGN_STOPPED && list.len < LIST_MAX - 2 * ADDRESS_MAX)
            buf_add_f(&list, "%s<%s>", list.len ? "," : "", campaign->recipient[at].address);
    log_info("campaign=stopped action=%s reason=%s from=<%.*s> recipients=%zu stopped=%zu whom=%s name=%.*s",
             campaign_action_name(verdict->action), verdict->because->reason, SLICE_ARG(message->envelope_sender),
             message->recipients, verdict->stopped, list.len ? buf_text(&list) : "-", SLICE_ARG(name));
    buf_free(&list);
}

static sfsistat refuse(const struct mlfi_message *message, const struct campaign_verdict *verdict, struct slice name)
{
    bool later = verdict->action == CAMPAIGN_LATER;
    struct buf text;

    buf_init(&text, REPLY_MAX);
    if (campaign_explain(verdict, name, &text))
        smfi_setreply(message->ctx, (char *)(uintptr_t)(later ? "450" : "550"), (char *)(uintptr_t)(later ? "4.7.1" : "5.7.1"),
                      text.data);
    buf_free(&text);
    return later ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static void forget_recipient(struct record_message *record, const char *address)
{
    size_t kept = 0;

    for (size_t at = 0; at < record->recipients; at++)
        if (!slice_eq(record->recipient[at].address, slice_str(address)))
            record->recipient[kept++] = record->recipient[at];
    record->recipients = kept;
    if (record->sent_to)
        record->sent_to--;
}

/* By the string that the MTA gave. An MTA that does not find it sends the mail all the same. */
static bool drop(const struct mlfi_message *message, const struct campaign *campaign, struct record_message *record)
{
    for (size_t at = 0; at < campaign->recipients; at++) {
        const struct campaign_recipient *recipient = &campaign->recipient[at];

        if (recipient->state != CAMPAIGN_STOPPED)
            continue;
        if (smfi_delrcpt(message->ctx, (char *)(uintptr_t)recipient->path.p) != MI_SUCCESS)
            return false;
        if (!is_repeated(campaign, at))
            forget_recipient(record, recipient->address);
    }
    return true;
}

static bool act(struct stamp_filter *filter, const struct mlfi_message *message, const struct campaign *campaign,
                struct outgoing_plan *plan, sfsistat *answer)
{
    struct campaign_verdict verdict;

    campaign_judge(campaign, clock_wall_us(), filter->conf->stamp.pause_max_s, &verdict);
    if (verdict.action == CAMPAIGN_GO)
        return true;
    log_verdict(message, campaign, &verdict, plan->record.campaign);
    if (verdict.action != CAMPAIGN_LATER)
        stamp_refusal_record(filter, message, campaign, &verdict, plan);
    if (verdict.action != CAMPAIGN_DROP) {
        *answer = refuse(message, &verdict, plan->record.campaign);
        return false;
    }
    if (drop(message, campaign, &plan->record))
        return true;
    log_err("cannot take a recipient out of the envelope: the mail is to be tried again");
    *answer = SMFIS_TEMPFAIL;
    return false;
}

bool stamp_campaign_admits(struct stamp_filter *filter, const struct mlfi_message *message, struct outgoing_plan *plan,
                           sfsistat *answer)
{
    struct campaign campaign = {.recipient = NULL};
    bool goes;

    if (!plan->record.campaign.len)
        return true;
    if (campaign_init(&campaign, message->recipient, message->recipients, &message->headers) &&
        is_known(filter, plan, &campaign))
        goes = act(filter, message, &campaign, plan, answer) &&
               (record_at_shard(filter, plan, &campaign) || go_unknown(filter, message, plan->record.campaign, answer));
    else
        goes = go_unknown(filter, message, plan->record.campaign, answer);
    campaign_free(&campaign);
    return goes;
}
