/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_record - what is noted down of an outgoing mail: to whom, with which links */

#include "common/address.h"
#include "mail/outgoing_work.h"

#include <stdlib.h>

enum { SUBJECT_KEPT = 1000 /* bytes; the rest of a hostile header is of no use to anybody */ };
enum { RECORD_ENTRY_BYTES = 8 /* of a recipient or link, besides its text */ };

/* One address written twice is one recipient. */
static bool recipient_known(const struct record_message *record, struct slice address)
{
    for (size_t at = 0; at < record->recipients; at++)
        if (slice_eq(record->recipient[at].address, address))
            return true;
    return false;
}

/* The envelope in normal form. */
struct envelope {
    size_t unreadable; /* a local name without domain, odd bytes */
    size_t off;        /* nothing is to be recorded of these; with a copy a recipient only */
    bool outsiders;
};

/* With a copy a recipient each is noted down as far as his own policy goes. */
static void sort_recipients(struct outgoing_work *work, struct envelope *envelope)
{
    struct record_message *record = &work->plan->record;
    struct record_recipient *counted = calloc(record->recipients + 1, sizeof *counted);
    size_t named = 0;

    if (!counted) {
        work->plan->failed = true;
        return;
    }
    for (size_t at = 0; at < record->recipients; at++) {
        enum tracking_level level = outgoing_level_of(work, record->recipient[at].address);

        if (level == LEVEL_INDIVIDUAL)
            record->recipient[named++] = record->recipient[at];
        else if (level == LEVEL_AGGREGATE)
            counted[work->plan->counted++] = (struct record_recipient){.address = record->recipient[at].address};
        else
            envelope->off++;
    }
    record->recipients = named;
    memcpy(record->recipient + named, counted, work->plan->counted * sizeof *counted);
    free(counted);
}

static void read_recipients(struct outgoing_work *work, struct envelope *envelope)
{
    struct record_message *record = &work->plan->record;
    const struct outgoing_mail *mail = work->mail;
    struct buf address;

    buf_init(&address, ADDRESS_MAX);
    for (size_t at = 0; at < mail->recipients; at++) {
        buf_reset(&address);
        if (!address_normalize(mail->recipient[at], &address)) {
            envelope->unreadable++;
            continue;
        }
        if (recipient_known(record, buf_slice(&address)))
            continue;
        envelope->outsiders |= !conf_list_has_domain(&work->conf->local_domains, address_domain(buf_slice(&address)));
        record->recipient[record->recipients++] = (struct record_recipient){
            .address = outgoing_keep(work->plan, buf_slice(&address)),
            .key = keys_recipient(work->settings->keys, buf_slice(&address)),
        };
    }
    buf_free(&address);
}

const char *outgoing_recipients(struct outgoing_work *work)
{
    struct record_message *record = &work->plan->record;
    struct envelope envelope = {.outsiders = false};

    record->recipient = calloc(work->mail->recipients + 1, sizeof *record->recipient);
    if (!record->recipient) {
        work->plan->failed = true;
        return NULL;
    }
    read_recipients(work, &envelope);
    if (work->wishes.level == LEVEL_INDIVIDUAL && outgoing_leaves_body(work) && outgoing_asks_recipients(work))
        sort_recipients(work, &envelope);
    record->sent_to = (uint32_t)(record->recipients + work->plan->counted + envelope.unreadable);
    if (work->wishes.level != LEVEL_INDIVIDUAL)
        record->recipients = 0; /* counted, not named */
    else if (record->recipients == 1 && record->sent_to + envelope.off == 1)
        work->recipient = record->recipient[0].key; /* whoever opens it, opens it as this one */
    if (!envelope.outsiders && !work->mail->assume_ours && work->degree == REWRITE_BODY) {
        work->degree = REWRITE_HEADERS;
        work->plan->reason = "local_recipients";
    }
    return NULL;
}

/* What is left for links of a record's bytes. A click carries its destination itself: without a row it still works. */
static size_t room_for_links(const struct record_message *record)
{
    size_t room = RECORD_BYTES_MAX - RECORD_BYTES_MAX / 4; /* a quarter for all other texts */

    for (size_t at = 0; at < record->recipients; at++) {
        size_t need = record->recipient[at].address.len + RECORD_ENTRY_BYTES;

        room -= need < room ? need : room;
    }
    return room;
}

/* Each destination once: a repeated one has its first number. */
void outgoing_record_links(struct outgoing_plan *plan)
{
    struct record_message *record = &plan->record;
    const struct rewrite_result *rewrite = &plan->rewrite;
    bool seen[REWRITE_DESTINATIONS_MAX + 1] = {false};
    size_t room = room_for_links(record);

    record->link = calloc(rewrite->links + 1, sizeof *record->link);
    if (!record->link) {
        plan->failed = true;
        return;
    }
    for (size_t at = 0; at < rewrite->links; at++) {
        unsigned index = rewrite->link[at].index;
        struct slice destination = slice_str(rewrite->link[at].destination);

        if (index == 0 || index > REWRITE_DESTINATIONS_MAX || seen[index] ||
            destination.len + RECORD_ENTRY_BYTES > room)
            continue;
        seen[index] = true;
        room -= destination.len + RECORD_ENTRY_BYTES;
        record->link[record->links++] =
            (struct record_link){.index = (uint16_t)index, .destination = destination};
    }
}

const char *outgoing_record(struct outgoing_work *work)
{
    struct outgoing_plan *plan = work->plan;
    struct record_message *record = &plan->record;
    struct buf subject;
    struct buf envelope;

    buf_init(&subject, HEADER_BYTES_MAX);
    buf_init(&envelope, ADDRESS_MAX);
    header_text(work->mail->headers, "Subject", SUBJECT_KEPT, &subject);
    address_normalize(work->mail->envelope_sender, &envelope);
    record->level = work->wishes.level;
    record->size = work->mail->headers->bytes + work->mail->body.len;
    record->sender = outgoing_keep(plan, buf_slice(&work->sender));
    record->envelope_sender = outgoing_keep(plan, buf_slice(&envelope));
    record->subject = outgoing_keep(plan, buf_slice(&subject));
    buf_free(&subject);
    buf_free(&envelope);
    return NULL;
}
