/* SPDX-License-Identifier: BSD-2-Clause */
/* named_ids - see named_ids.h */

#include "common/token.h"
#include "mail/named_ids.h"
#include "mail/signed_id.h"

#include <strings.h>

static bool holds(const struct named_ids *ids, struct slice id)
{
    for (size_t n = 0; n < ids->count; n++)
        if (slice_eq_i(named_id_text(&ids->id[n]), id))
            return true;
    return false;
}

/* An id already there keeps its better rung. */
static void add(struct named_ids *ids, struct slice id, enum answer_rung rung, size_t newer)
{
    struct named_id *entry;

    if (ids->count == NAMED_IDS_MAX || holds(ids, id))
        return;
    entry = &ids->id[ids->count++];
    memcpy(entry->text, id.p, id.len);
    entry->text[id.len] = '\0';
    entry->len = id.len;
    entry->rung = rung;
    entry->newer = newer;
}

/* The ids of one field. DECODED holds what they point into when the field had encoded words. */
static bool read_field(struct slice value, struct buf *decoded, struct msgid_list *list)
{
    list->count = 0;
    if (slice_find_i(value, "=?") == (size_t)-1) {
        msgid_list_read(value, list);
        return true;
    }
    buf_reset(decoded);
    if (!header_decode_words(value, decoded))
        return false;
    msgid_list_read(buf_slice(decoded), list);
    return true;
}

/* All fields of that name from the top, their ids from the left. */
static bool add_forwards(const struct header_list *headers, const char *name, enum answer_rung rung, size_t most,
                         struct buf *decoded, struct named_ids *ids)
{
    struct msgid_list list;
    size_t added = 0, looked_at = 0;

    for (size_t at = 0; at < headers->count && added < most && looked_at < NAMED_IDS_MAX; at++) {
        struct slice value = slice_str(headers->field[at].value);

        if (strcasecmp(headers->field[at].name, name) != 0)
            continue;
        looked_at++; /* also fields without an id: a hostile mail has thousands */
        if (value.len > NAMED_IDS_BYTES_MAX)
            value.len = NAMED_IDS_BYTES_MAX;
        if (!read_field(value, decoded, &list))
            return false;
        for (size_t n = 0; n < list.count && added < most; n++, added++)
            add(ids, list.id[n], rung, 0);
    }
    return true;
}

/* All fields of that name from the bottom, their ids from the right. */
static bool add_backwards(const struct header_list *headers, const char *name, enum answer_rung rung,
                          struct buf *decoded, struct named_ids *ids)
{
    size_t nth = header_count(headers, name), newer = 0;
    struct msgid_list list;

    if (nth > NAMED_IDS_MAX)
        nth = NAMED_IDS_MAX;
    while (nth-- > 0 && ids->count < NAMED_IDS_MAX) {
        struct slice value = slice_str(header_find(headers, name, nth)->value);
        if (value.len > NAMED_IDS_BYTES_MAX)
            value = slice_from(value, value.len - NAMED_IDS_BYTES_MAX);
        if (!read_field(value, decoded, &list))
            return false;
        while (list.count-- > 0)
            add(ids, list.id[list.count], rung, newer++);
    }
    return true;
}

/*
 * A returned mail names others in its References too, and those were delivered. Only an anchor that stands last is
 * its own.
 */
static bool add_returned_anchor(const struct header_list *returned, struct buf *decoded, struct named_ids *ids)
{
    size_t fields = header_count(returned, "References");
    struct msgid_list list;
    struct slice value, left;

    if (!fields)
        return true;
    value = slice_str(header_find(returned, "References", fields - 1)->value);
    if (value.len > NAMED_IDS_BYTES_MAX)
        value = slice_from(value, value.len - NAMED_IDS_BYTES_MAX);
    if (!read_field(value, decoded, &list))
        return false;
    if (!list.count)
        return true;
    left = list.id[list.count - 1];
    if (signed_id_is_anchor(left))
        add(ids, left, RUNG_RETURNED_HEADERS, 0);
    return true;
}

static bool add_returned(const struct header_list *returned, struct buf *decoded, struct named_ids *ids)
{
    return add_forwards(returned, "Original-Message-ID", RUNG_RETURNED_HEADERS, NAMED_IDS_RETURNED_MAX, decoded,
                        ids) &&
           add_forwards(returned, "Message-ID", RUNG_RETURNED_HEADERS, NAMED_IDS_RETURNED_MAX, decoded,
                        ids) &&
           add_returned_anchor(returned, decoded, ids);
}

bool named_ids_read(const struct header_list *headers, const struct header_list *returned, struct named_ids *ids)
{
    struct buf decoded;
    bool ok;

    ids->count = 0;
    buf_init(&decoded, 4 * NAMED_IDS_BYTES_MAX); /* a byte of windows-1252 may become three of UTF-8 */
    ok = add_forwards(headers, "In-Reply-To", RUNG_IN_REPLY_TO, NAMED_IDS_IN_REPLY_TO_MAX, &decoded, ids) &&
         add_backwards(headers, "References", RUNG_REFERENCES, &decoded, ids) &&
         add_forwards(headers, "X-Microsoft-Original-Message-ID", RUNG_ORIGINAL_MESSAGE_ID, 1, &decoded, ids) &&
         add_forwards(headers, "X-Google-Original-Message-ID", RUNG_ORIGINAL_MESSAGE_ID, 1, &decoded, ids) &&
         (!returned || add_returned(returned, &decoded, ids));
    buf_free(&decoded);
    return ok;
}

struct slice named_id_text(const struct named_id *id)
{
    return slice_of(id->text, id->len);
}

/* Every id has an @: msgid_list_read() takes nothing else. */
static size_t at_sign(const struct named_id *id)
{
    size_t at = id->len;

    while (at > 0 && id->text[at - 1] != '@')
        at--;
    return at - 1;
}

struct slice named_id_domain(const struct named_id *id)
{
    return slice_from(named_id_text(id), at_sign(id) + 1);
}
