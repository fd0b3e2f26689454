/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_id - Message-ID and References of an outgoing mail: a signed id, and the anchor */

#include "common/address.h"
#include "common/token.h"
#include "mail/msgid.h"
#include "mail/outgoing_work.h"
#include "mail/signed_id.h"
#include "mail/tracking.h"

static bool is_full(struct slice domain)
{
    return domain.len && memchr(domain.p, '.', domain.len);
}

static struct slice host_of(struct slice url)
{
    size_t start = slice_find_i(url, "://");
    struct slice host = slice_from(url, start == (size_t)-1 ? 0 : start + 3);
    size_t len = 0;

    while (len < host.len && host.p[len] != '/' && host.p[len] != ':')
        len++;
    return slice_of(host.p, len);
}

/* From's domain when it is ours: what a filter expects to see. A single label would be replaced by large receivers. */
static struct slice id_domain(const struct outgoing_work *work)
{
    struct slice sender = address_domain(buf_slice(&work->sender));

    if (is_full(sender) && conf_list_has_domain(&work->conf->local_domains, sender))
        return sender;
    if (work->conf->stamp.message_id_domain[0])
        return slice_str(work->conf->stamp.message_id_domain);
    return host_of(slice_str(work->conf->tracking_url));
}

static bool sign_id(struct outgoing_work *work, enum token_kind kind, struct buf *id)
{
    struct token token = {.kind = kind, .message = work->plan->record.id, .recipient = work->recipient};

    return signed_id_add(work->settings->keys, &token, id_domain(work), id);
}

/* Spam filters score a mail that names Thunderbird without a Thunderbird id as forged. */
static bool must_replace(const struct outgoing_work *work, bool valid)
{
    const struct header_list *headers = work->mail->headers;

    switch (work->conf->stamp.message_id) {
    case MESSAGE_ID_STAMP:
        return true;
    case MESSAGE_ID_KEEP:
        return !valid;
    case MESSAGE_ID_AUTO:
        break;
    }
    return !valid || !(header_value(headers, "User-Agent") || header_value(headers, "X-Mailer"));
}

const char *outgoing_message_id(struct outgoing_work *work)
{
    const struct header_list *headers = work->mail->headers;
    struct outgoing_plan *plan = work->plan;
    const char *value = header_value(headers, "Message-ID");
    bool valid = value && header_count(headers, "Message-ID") == 1 && msgid_valid(slice_str(value));
    struct msgid_list ids = {.count = 0};
    struct buf field;

    if (value)
        msgid_list_read(slice_str(value), &ids);
    if (ids.count)
        buf_add_slice(&work->client_id, ids.id[0]);
    plan->id_replaced = must_replace(work, valid);
    if (!plan->id_replaced) {
        plan->record.sent_message_id = plan->record.client_message_id = outgoing_keep(plan, buf_slice(&work->client_id));
        return NULL;
    }
    if (!sign_id(work, TOKEN_MESSAGE_ID, &work->token_id))
        plan->failed = true;
    plan->record.sent_message_id = outgoing_keep(plan, buf_slice(&work->token_id));
    plan->record.client_message_id = outgoing_keep(plan, buf_slice(&work->client_id));
    if (!valid)
        buf_reset(&work->client_id); /* nobody will thread by it */
    buf_init(&field, MSGID_MAX * 2);
    buf_add_f(&field, "<%s>", buf_text(&work->token_id));
    outgoing_remove_headers(work, "Message-ID", 2);
    outgoing_set_header(plan, "Message-ID", 1, &field);
    buf_free(&field);
    return NULL;
}

/* In-Reply-To keeps exactly one id: where several are named, all stay. */
static void name_parent(struct outgoing_work *work, struct slice twin)
{
    struct buf field;

    buf_init(&field, MSGID_MAX + 3);
    buf_add_f(&field, "<%.*s>", SLICE_ARG(twin));
    outgoing_set_header(work->plan, "In-Reply-To", 1, &field);
    work->plan->twin = true;
    buf_free(&field);
}

/* The one mail that is answered or followed up; empty when none is named, or several are. */
static struct slice parent_of(const struct header_list *headers)
{
    const char *value = header_value(headers, "In-Reply-To");
    struct msgid_list list = {.count = 0};

    if (header_count(headers, "In-Reply-To") == 1)
        msgid_list_read(slice_str(value), &list);
    return list.count == 1 ? list.id[0] : slice_str("");
}

const char *outgoing_references(struct outgoing_work *work)
{
    const struct header_list *headers = work->mail->headers;
    const char *old = header_value(headers, "References");
    struct slice parent = parent_of(headers);
    struct outgoing_twins twins;
    struct references_request request = {
        .old = slice_str(old), .is_anchor = tracking_is_anchor, .twin = outgoing_twin, .arg = &twins};
    struct buf anchor;
    struct buf field;

    buf_init(&anchor, MSGID_MAX);
    buf_init(&field, REFERENCES_MAX * 2);
    outgoing_find_twins(work, &twins);
    if (!old)
        request.more[0] = parent; /* RFC 5322 3.6.4: a parent that is named only there goes along */
    request.more[1] = outgoing_twin(&twins, parent);
    if (work->plan->id_replaced)
        request.more[2] = buf_slice(&work->client_id);
    if (!sign_id(work, TOKEN_ANCHOR, &anchor))
        work->plan->failed = true;
    request.anchor = buf_slice(&anchor);
    if (!references_build(&request, &field))
        work->plan->failed = true;
    if (request.more[1].len)
        name_parent(work, request.more[1]);
    outgoing_remove_headers(work, "References", 2);
    outgoing_set_header(work->plan, "References", 1, &field);
    buf_free(&field);
    buf_free(&anchor);
    return NULL;
}
