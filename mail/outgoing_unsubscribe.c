/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_unsubscribe - the header fields by which a campaign's mail offers a way out; see outgoing_work.h */

#include "mail/list_unsubscribe.h"
#include "mail/outgoing_work.h"

void outgoing_unsubscribe(struct outgoing_work *work)
{
    struct list_unsubscribe wanted = {
        .keys = work->settings->keys,
        .tracking_url = work->conf->tracking_url,
        .address = work->conf->unsubscribe_address,
        .message = work->plan->record.id,
        .recipient = work->recipient,
    };
    struct outgoing_plan *plan = work->plan;
    struct buf field;
    struct buf post;

    if (!work->conf->stamp.list_unsubscribe)
        return;
    buf_init(&field, HEADER_BYTES_MAX);
    buf_init(&post, sizeof LIST_UNSUBSCRIBE_ONE_CLICK);
    plan->unsubscribe = list_unsubscribe_make(&wanted, work->mail->headers, &field);
    if (plan->unsubscribe != LIST_UNSUBSCRIBE_NONE)
        outgoing_set_header(plan, "List-Unsubscribe", 1, &field);
    if (plan->unsubscribe == LIST_UNSUBSCRIBE_BY_CLICK) {
        buf_add_str(&post, LIST_UNSUBSCRIBE_ONE_CLICK);
        outgoing_remove_headers(work, "List-Unsubscribe-Post", 2);
        outgoing_set_header(plan, "List-Unsubscribe-Post", 1, &post);
    }
    plan->failed |= field.failed;
    buf_free(&field);
    buf_free(&post);
}
