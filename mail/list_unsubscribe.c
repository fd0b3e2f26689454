/* SPDX-License-Identifier: BSD-2-Clause */
/* list_unsubscribe - see list_unsubscribe.h */

#include "mail/list_unsubscribe.h"

#include "common/token.h"
#include "common/url.h"

/* The option's form is such that nothing here needs an escape. */
static void add_mailto(struct slice address, const char *token, struct buf *field)
{
    const char *at = memrchr(address.p, '@', address.len);
    size_t left = at ? (size_t)(at - address.p) : address.len;

    buf_add_str(field, "<mailto:");
    buf_add_slice(field, slice_of(address.p, left));
    buf_add_char(field, '+');
    buf_add_str(field, token);
    buf_add_slice(field, slice_from(address, left));
    buf_add_char(field, '>');
}

enum list_unsubscribe_offer list_unsubscribe_make(const struct list_unsubscribe *wanted, const struct header_list *headers,
                                                  struct buf *field)
{
    struct token token = {.kind = TOKEN_UNSUBSCRIBE, .message = wanted->message, .recipient = wanted->recipient};
    char text[TOKEN_TEXT + 1];

    if (header_value(headers, "List-Unsubscribe") || (!wanted->recipient && !wanted->address[0]))
        return LIST_UNSUBSCRIBE_NONE;
    if (!token_sign(wanted->keys, &token, slice_str(""), text)) {
        field->failed = true;
        return LIST_UNSUBSCRIBE_NONE;
    }
    if (wanted->recipient) {
        buf_add_char(field, '<');
        url_add_unsubscribe(field, wanted->tracking_url, text);
        buf_add_str(field, wanted->address[0] ? ">,\n\t" : ">");
    }
    if (wanted->address[0])
        add_mailto(slice_str(wanted->address), text, field);
    return wanted->recipient ? LIST_UNSUBSCRIBE_BY_CLICK : LIST_UNSUBSCRIBE_BY_MAIL;
}
