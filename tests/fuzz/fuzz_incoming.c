/* SPDX-License-Identifier: BSD-2-Clause */
/* a verdict on any bytes; a left side that begins with "ours" counts as signed, so that every class is reached */

#include "mail/incoming.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum token_result verify(void *arg, struct slice id_left, struct token *token)
{
    (void)arg;
    *token = (struct token){.kind = TOKEN_ANCHOR, .message = 1, .recipient = id_left.len & 1};
    return slice_starts_i(id_left, slice_str("ours")) || token_parse(id_left, token) ? TOKEN_GOOD : TOKEN_FORGED;
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    (void)arg;
    *token = (struct token){.kind = url.len & 1 ? TOKEN_VIEW : TOKEN_CLICK, .message = 1, .recipient = 1};
    return slice_find_i(url, "ours") != (size_t)-1 ? TOKEN_GOOD : TOKEN_FORGED;
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    (void)arg;
    return (uint32_t)address.len & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct incoming_lookup lookup = {
        .token = verify, .url = verify_url, .tracking_url = "https://t.example.com", .recipient_key = recipient_key};
    struct slice mail = slice_of((const char *)data, size);
    struct incoming_verdict verdict;
    struct header_list headers;
    struct slice recipient = slice_str(
        "bounces+c4" /* a token of kind bounce */
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@example.com");
    struct incoming_mail incoming = {.headers = &headers, .recipient = &recipient, .recipients = size & 1};
    struct buf out;

    header_list_init(&headers);
    buf_init(&out, 100000);
    incoming.body = slice_from(mail, header_parse(mail, &headers));
    if (header_value(&headers, "Return-Path"))
        incoming.envelope_sender = slice_str(header_value(&headers, "Return-Path"));
    if (incoming_judge(&incoming, &lookup, &verdict)) {
        incoming_print(&verdict, &out);
        incoming_verdict_free(&verdict);
    }
    buf_free(&out);
    header_list_free(&headers);
    return 0;
}
