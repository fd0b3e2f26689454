/* SPDX-License-Identifier: BSD-2-Clause */
/* a verdict on any bytes; a left side that begins with "ours" counts as signed, so that every class is reached */

#include "mail/incoming.h"
#include "mail/msgid.h"
#include "mail/thread.h"

#include <stdint.h>
#include <stdlib.h>

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

/* Every second id was kept. */
static void kept_ids(void *arg, struct sent_id *ids, size_t count)
{
    (void)arg;
    for (size_t n = 0; n < count; n++)
        ids[n].message = ids[n].id.len & 1;
}

/* What the sender's program called the mail comes from a mail, too. */
static void original(void *arg, uint64_t message, struct slice address, struct original *original)
{
    struct slice own = *(struct slice *)arg;

    (void)message;
    original->relation = address.len & 1 ? RELATION_RECIPIENT : RELATION_NONE;
    for (size_t at = 0; at < own.len && own.p[at] && at < SENT_ID_MAX; at++)
        original->own_id[at] = own.p[at];
}

/* Whatever stands in the answer and whatever the database says: one id in one line. */
static void check_thread(const struct header_list *headers, const struct incoming_verdict *verdict)
{
    struct msgid_list list = {.count = 0};
    struct buf field;

    buf_init(&field, 1000);
    if (thread_mend(headers, verdict, &field)) {
        msgid_list_read(buf_slice(&field), &list);
        if (list.count != 1 || field.len != list.id[0].len + 2)
            abort();
        for (size_t at = 0; at < field.len; at++)
            if (field.data[at] <= ' ' || field.data[at] > '~')
                abort();
    }
    buf_free(&field);
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    (void)arg;
    return (uint32_t)address.len & 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice mail = slice_of((const char *)data, size);
    size_t own_begins = slice_find_i(mail, "own:");
    struct slice own = slice_from(mail, own_begins == (size_t)-1 ? size : own_begins + 4);
    struct incoming_lookup lookup = {
        .token = verify, .url = verify_url, .tracking_url = "https://t.example.com", .recipient_key = recipient_key,
        .arg = &own, .kept_ids = kept_ids, .original = original};
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
        check_thread(&headers, &verdict);
        incoming_verdict_free(&verdict);
    }
    buf_free(&out);
    header_list_free(&headers);
    return 0;
}
