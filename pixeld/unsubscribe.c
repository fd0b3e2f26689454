/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/unsubscribe.h"

#include "common/clock.h"

static struct http_page *act(struct site *site, const struct token *token)
{
    bool tracking = token->kind == TOKEN_CONSENT;
    struct record_unsubscribe unsubscribe = {
        .message = token->message,
        .recipient = token->recipient,
        .time_us = clock_wall_us(),
        .way = tracking ? UNSUBSCRIBE_TRACKING : UNSUBSCRIBE_WEB,
        .everywhere = tracking || site->unsubscribe_everywhere,
    };

    if (!journal_add_unsubscribe(site->journal, &unsubscribe))
        return site->pages.unavailable;
    return tracking ? site->pages.untracked : site->pages.unsubscribed;
}

struct http_answer unsubscribe_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct http_answer not_found = {.page = site->pages.not_found};
    enum token_kind kind = route->place == ROUTE_CONSENT ? TOKEN_CONSENT : TOKEN_UNSUBSCRIBE;
    enum token_result result;
    struct token token;

    if (!route->readable)
        return not_found;
    result = token_verify(site->keys, route->target.token, slice_of("", 0), &token);
    if (result == TOKEN_MALFORMED || token.kind != kind || token.recipient == 0)
        return not_found; /* without a recipient it is one for a mail, whose From tells */
    if (result == TOKEN_UNKNOWN_KEY)
        return (struct http_answer){.page = site->pages.unavailable};
    if (result == TOKEN_FORGED)
        return not_found;
    if (request->method == REQUEST_POST)
        return (struct http_answer){.page = act(site, &token)};
    return (struct http_answer){.page = kind == TOKEN_CONSENT ? site->pages.consent : site->pages.unsubscribe};
}
