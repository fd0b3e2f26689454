/* SPDX-License-Identifier: BSD-2-Clause */
/* thread - see thread.h */

#include "mail/msgid.h"
#include "mail/thread.h"

/* It was written by a client: nothing but one id may get into the field. */
static bool is_plain_id(struct slice id)
{
    const char *sign = id.len ? memchr(id.p, '@', id.len) : NULL;
    size_t at_sign = sign ? (size_t)(sign - id.p) : 0;

    if (!at_sign || at_sign + 1 == id.len || id.len > MSGID_MAX)
        return false;
    for (size_t at = 0; at < id.len; at++)
        if (id.p[at] <= ' ' || id.p[at] > '~' || strchr("<>(),;\"", id.p[at]) || (id.p[at] == '@' && at != at_sign))
            return false;
    return true;
}

static bool names(const struct header_list *headers, const char *field, struct slice id)
{
    const char *value = header_value(headers, field);
    struct msgid_list list = {.count = 0};

    msgid_list_read(slice_str(value ? value : ""), &list);
    for (size_t n = 0; n < list.count; n++)
        if (slice_eq_i(list.id[n], id))
            return true;
    return false;
}

/* The id named may be one that a relay gave the mail; then it stands right behind the mail's anchor. */
static bool is_about_it(const struct header_list *headers, const struct incoming_verdict *verdict, struct slice named)
{
    return verdict->rung == RUNG_IN_REPLY_TO ||
           (verdict->rung == RUNG_REFERENCES && verdict->direct && names(headers, "References", named));
}

bool thread_mend(const struct header_list *headers, const struct incoming_verdict *verdict, struct buf *in_reply_to)
{
    const char *value = header_value(headers, "In-Reply-To");
    struct slice own = slice_str(verdict->own_id);
    struct msgid_list list = {.count = 0};

    if (!is_plain_id(own) || header_count(headers, "In-Reply-To") != 1)
        return false;
    msgid_list_read(slice_str(value), &list);
    if (list.count != 1 || slice_eq_i(list.id[0], own) || !is_about_it(headers, verdict, list.id[0]))
        return false;
    buf_add_f(in_reply_to, "<%.*s>", SLICE_ARG(own));
    return !in_reply_to->failed;
}
