/* SPDX-License-Identifier: BSD-2-Clause */
/* match_return - see match_return.h */

#include "common/address.h"
#include "common/log.h"
#include "common/store.h"
#include "mail/address_token.h"
#include "mail/return_path.h"
#include "milter/match_return.h"

#include <inttypes.h>

enum { NUMBER_TEXT = 24, SENDER_CACHED_S = 24 * 3600 };

/* False also for one that must not get it. */
static bool cached_sender(struct match_filter *filter, uint64_t message, struct buf *sender)
{
    char number[NUMBER_TEXT];

    snprintf(number, sizeof number, "%" PRIu64, message);
    return cache_get(filter->cache, "envelope_sender", slice_str(number), sender) &&
           return_path_serves(&filter->conf->local_domains, buf_slice(sender));
}

static bool recorded_sender(const struct match_question *question, uint64_t message, struct buf *sender)
{
    struct match_filter *filter = question->filter;
    int64_t epoch = cache_epoch(filter->cache);
    struct db *db = match_question_take(question, message);
    char number[NUMBER_TEXT];
    bool found;

    if (!db)
        return false;
    found = store_find_envelope_sender(db, message, sender, match_question_left_ms(question)) == STORE_YES &&
            return_path_serves(&filter->conf->local_domains, buf_slice(sender));
    match_question_give(question, message, db);
    if (found) {
        snprintf(number, sizeof number, "%" PRIu64, message);
        cache_set(filter->cache, epoch, "envelope_sender", slice_str(number), buf_slice(sender), SENDER_CACHED_S);
    }
    return found;
}

/* Who gets it instead; false: it stays. */
static bool find_target(const struct match_question *question, uint64_t message, struct buf *target)
{
    const char *mailbox = question->filter->conf->match.bounce_mailbox;

    if (cached_sender(question->filter, message, target))
        return true;
    buf_reset(target);
    if (recorded_sender(question, message, target))
        return true;
    buf_reset(target);
    return mailbox[0] && slice_empty(address_token(slice_str(mailbox), TOKEN_BOUNCE)) && buf_add_str(target, mailbox);
}

/* Add first: an MTA that does neither keeps the mail whole. */
static bool swap(SMFICTX *ctx, struct slice path, const struct buf *target)
{
    char added[ADDRESS_MAX + 3];

    snprintf(added, sizeof added, "<%s>", buf_text(target));
    return smfi_addrcpt(ctx, added) == MI_SUCCESS && smfi_delrcpt(ctx, (char *)(uintptr_t)path.p) == MI_SUCCESS;
}

static bool swap_recipient(const struct match_question *question, const struct mlfi_message *message, struct slice path)
{
    struct match_filter *filter = question->filter;
    struct slice text = address_token(path, TOKEN_BOUNCE);
    struct token token;
    struct buf target;
    bool taken = true;

    if (slice_empty(text) || !conf_list_has_domain(&filter->conf->local_domains, address_domain(path)) ||
        token_verify(filter->keys, text, slice_str(""), &token) != TOKEN_GOOD)
        return true;
    buf_init(&target, ADDRESS_MAX);
    if (find_target(question, token.message, &target)) {
        taken = swap(message->ctx, path, &target);
        log_info("returned=%" PRIu64 " to=<%s> from=<%.*s>", token.message, buf_text(&target),
                 SLICE_ARG(message->envelope_sender));
    } else {
        log_warn("returned=%" PRIu64 " to=- from=<%.*s>: its sender is not known, it stays addressed as it is", token.message,
                 SLICE_ARG(message->envelope_sender));
    }
    buf_free(&target);
    return taken;
}

bool match_return(const struct match_question *question, const struct mlfi_message *message)
{
    for (size_t at = 0; at < message->recipients; at++)
        if (!swap_recipient(question, message, message->recipient[at]))
            return false;
    return true;
}
