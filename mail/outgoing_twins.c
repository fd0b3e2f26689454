/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outgoing_twins - the ids that mails named in an outgoing one left with, where theirs were replaced
 *
 * The sender's program knows an earlier mail by the id that it gave it; the recipients' programs by the signed one.
 */

#include "common/token.h"
#include "mail/msgid.h"
#include "mail/outgoing_work.h"
#include "mail/signed_id.h"

static bool is_listed(const struct outgoing_twins *twins, struct slice id)
{
    for (size_t n = 0; n < twins->count; n++)
        if (slice_eq_i(twins->named[n].id, id))
            return true;
    return false;
}

/* The ids of one field that are not of our shape, newest first. */
static void list_field(const struct header_list *headers, const char *name, struct outgoing_twins *twins)
{
    const char *value = header_value(headers, name);
    struct msgid_list list = {.count = 0};

    msgid_list_read(slice_str(value ? value : ""), &list);
    while (list.count-- > 0 && twins->count < OUTGOING_NAMED_MAX) {
        struct slice id = list.id[list.count];

        if (!signed_id_is_shaped(id) && !is_listed(twins, id))
            twins->named[twins->count++] = (struct sent_id){.id = id};
    }
}

/* What a cache says is checked: only what we signed, and for that very mail, gets into a header. */
static bool is_signed(const struct outgoing_work *work, const struct sent_id *named)
{
    struct slice sent = slice_str(named->sent);
    char field[SENT_ID_MAX + 3];
    int len;

    if (slice_empty(sent) || !signed_id_is_of(work->settings->keys, sent, named->message))
        return false;
    len = snprintf(field, sizeof field, "<%s>", named->sent);
    return msgid_valid(slice_of(field, (size_t)len));
}

void outgoing_find_twins(struct outgoing_work *work, struct outgoing_twins *twins)
{
    const struct outgoing_settings *settings = work->settings;

    twins->count = 0;
    if (!settings->sent_ids)
        return;
    list_field(work->mail->headers, "In-Reply-To", twins);
    list_field(work->mail->headers, "References", twins);
    if (!twins->count)
        return;
    settings->sent_ids(settings->arg, twins->named, twins->count);
    for (size_t n = 0; n < twins->count; n++)
        if (!is_signed(work, &twins->named[n]))
            twins->named[n].sent[0] = '\0';
}

struct slice outgoing_twin(void *arg, struct slice id)
{
    const struct outgoing_twins *twins = arg;

    for (size_t n = 0; n < twins->count; n++)
        if (slice_eq_i(twins->named[n].id, id))
            return slice_str(twins->named[n].sent);
    return slice_str("");
}
