/* SPDX-License-Identifier: BSD-2-Clause */
/* a mail to where people unsubscribe, first line its recipient; a token of the right shape counts as signed */

#include "mail/address_token.h"
#include "mail/unsubscribe_request.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char address[] = "unsubscribe@example.com";

static enum token_result verify(void *arg, struct slice text, struct token *token)
{
    (void)arg;
    if (!token_parse(text, token) || token->kind != TOKEN_UNSUBSCRIBE)
        abort(); /* only what has the shape is asked about */
    return TOKEN_GOOD;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct incoming_lookup lookup = {.token = verify};
    struct slice mail = slice_of((const char *)data, size);
    const char *end = size ? memchr(data, '\n', size) : NULL;
    struct slice recipient = slice_of(mail.p, end ? (size_t)(end - mail.p) : size);
    struct unsubscribe_request request;
    struct header_list headers;
    struct incoming_mail incoming = {.headers = &headers, .recipient = &recipient, .recipients = 1};

    mail = slice_from(mail, recipient.len + (end != NULL));
    header_list_init(&headers);
    incoming.body = slice_from(mail, header_parse(mail, &headers));
    if (header_value(&headers, "Return-Path"))
        incoming.envelope_sender = slice_str(header_value(&headers, "Return-Path"));
    if (unsubscribe_request_read(&incoming, &lookup, address, &request) && !request.ignored && !request.from[0])
        abort();
    header_list_free(&headers);
    return 0;
}
