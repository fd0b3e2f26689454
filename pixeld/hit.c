/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/hit.h"

#include "common/message_id.h"
#include "pixeld/feed_cookie.h"
#include "pixeld/verdict.h"

#include <string.h>

bool hit_wants_privacy(const struct request *request)
{
    return slice_is(slice_trim(request->field[REQUEST_SEC_GPC]), "1") ||
           slice_is(slice_trim(request->field[REQUEST_DNT]), "1");
}

static struct slice cut(struct slice s, size_t most)
{
    return slice_of(s.p, s.len < most ? s.len : most);
}

static void keep_person(const struct request *request, const struct token *token, const struct client *client,
                        const struct hit_settings *settings, struct record_hit *hit)
{
    hit->recipient = token->recipient;
    hit->user_agent = cut(request->field[REQUEST_USER_AGENT], USER_AGENT_MAX);
    hit->address_bytes = client->address_bytes;
    memcpy(hit->address, client->address, sizeof hit->address);
    if (request->field[REQUEST_COOKIE].len)
        hit->has_device = feed_cookie_device(request, settings->secure_cookies, hit->device);
}

bool hit_of(const struct request *request, const struct token *token, struct slice raw, const struct rules *rules,
            const struct hit_settings *settings, int64_t now_us, struct record_hit *hit)
{
    struct client client = client_of(request, settings->trusted_proxies, settings->proxy_header);
    struct rules_question question = {
        .request = request,
        .client = &client,
        .kind = token->kind == TOKEN_VIEW ? HIT_VIEW : HIT_CLICK, /* a document is opened by following its link */
        .age_ms = now_us / 1000 - message_id_time_ms(token->message),
        .decoy = token->kind == TOKEN_CLICK && token->index == TOKEN_DECOY_INDEX,
    };
    struct verdict verdict = verdict_of(rules, &question);
    bool is_private = settings->honour_gpc != HONOUR_GPC_NO && hit_wants_privacy(request);

    /* What is kept raw names the recipient, whom the key would tell later. */
    if (is_private && (settings->honour_gpc == HONOUR_GPC_DROP || raw.len))
        return false;
    if (settings->anonymize_ip)
        client_anonymize(&client);
    *hit = (struct record_hit){
        .kind = question.kind,
        .message = token->message,
        .index = token->index,
        .time_us = now_us,
        .verdict = verdict.verdict,
        .reason = verdict.reason,
        .raw = raw,
    };
    if (!token->aggregate && !is_private) /* else it is counted, and no more */
        keep_person(request, token, &client, settings, hit);
    return true;
}
