/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/hit.h"

#include "common/message_id.h"
#include "pixeld/verdict.h"

#include <string.h>

static struct slice cut(struct slice s, size_t most)
{
    return slice_of(s.p, s.len < most ? s.len : most);
}

void hit_of(const struct request *request, const struct token *token, struct slice raw,
            const struct hit_settings *settings, int64_t now_us, struct record_hit *hit)
{
    struct client client = client_of(request, settings->trusted_proxies, settings->proxy_header);
    enum hit_kind kind = token->kind == TOKEN_CLICK ? HIT_CLICK : HIT_VIEW;
    struct verdict verdict =
        verdict_of(request, kind, &client, now_us / 1000 - message_id_time_ms(token->message));

    if (settings->anonymize_ip)
        client_anonymize(&client);
    *hit = (struct record_hit){
        .kind = kind,
        .message = token->message,
        .recipient = token->recipient,
        .index = token->index,
        .time_us = now_us,
        .verdict = verdict.verdict,
        .reason = slice_str(verdict.reason),
        .raw = raw,
    };
    if (token->aggregate) /* counted, and no more */
        return;
    hit->user_agent = cut(request->field[REQUEST_USER_AGENT], USER_AGENT_MAX);
    hit->address_bytes = client.address_bytes;
    memcpy(hit->address, client.address, sizeof hit->address);
}
