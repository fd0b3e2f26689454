/* SPDX-License-Identifier: BSD-2-Clause */
/* store_cargo - see store_cargo.h */

#include "common/store_cargo.h"

#include "common/store.h"
#include "common/store_answer.h"
#include "common/store_campaign.h"
#include "common/store_delivery.h"
#include "common/store_document_event.h"
#include "common/store_message.h"

#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 64 };

static const int64_t day_us = 86400 * (int64_t)1000000;

bool cargo_init(struct cargo *cargo, size_t records)
{
    *cargo = (struct cargo){.event = calloc(records ? records : 1, sizeof *cargo->event)};
    row_set_init(&cargo->message, STORE_MESSAGE_COLUMNS);
    row_set_init(&cargo->recipient, STORE_RECIPIENT_COLUMNS);
    row_set_init(&cargo->link, STORE_LINK_COLUMNS);
    row_set_init(&cargo->answer, STORE_ANSWER_COLUMNS);
    row_set_init(&cargo->stop, STORE_STOP_COLUMNS);
    row_set_init(&cargo->unsubscribe, STORE_UNSUBSCRIBE_COLUMNS);
    row_set_init(&cargo->refusal, STORE_REFUSAL_COLUMNS);
    row_set_init(&cargo->clock, STORE_CLOCK_COLUMNS);
    row_set_init(&cargo->network, STORE_NETWORK_COLUMNS);
    row_set_init(&cargo->delivery, STORE_DELIVERY_COLUMNS);
    row_set_init(&cargo->document, STORE_DOCUMENT_EVENT_COLUMNS);
    row_set_init(&cargo->beacon, STORE_BEACON_COLUMNS);
    return cargo->event != NULL;
}

void cargo_free(struct cargo *cargo)
{
    row_set_free(&cargo->message);
    row_set_free(&cargo->recipient);
    row_set_free(&cargo->link);
    row_set_free(&cargo->answer);
    row_set_free(&cargo->stop);
    row_set_free(&cargo->unsubscribe);
    row_set_free(&cargo->refusal);
    row_set_free(&cargo->clock);
    row_set_free(&cargo->network);
    row_set_free(&cargo->delivery);
    row_set_free(&cargo->document);
    row_set_free(&cargo->beacon);
    free(cargo->read);
    free(cargo->event);
}

/* The event of RECORD at that time, cleared; NULL when it is too old to be kept. */
static struct store_event *new_event(struct cargo *cargo, uint64_t record, int64_t time_us)
{
    struct store_event *event = &cargo->event[cargo->events];

    if (time_us < cargo->keep_from_us) {
        cargo->dropped++;
        return NULL;
    }
    *event = (struct store_event){.record = record, .time_us = time_us};
    if (time_us - day_us > cargo->now_us) {
        store_clock_row(&cargo->clock, cargo->spool, record, time_us);
        event->time_us = cargo->now_us;
    }
    cargo->events++;
    return event;
}

static struct slice cut(struct slice text, size_t most)
{
    return slice_of(text.p, text.len < most ? text.len : most);
}

/* A request as an event of KIND; NULL when it is too old to be kept. */
static struct store_event *add_request(struct cargo *cargo, uint64_t record, const struct record_hit *hit, char kind)
{
    struct store_event *event = new_event(cargo, record, hit->time_us);

    if (!event)
        return NULL;
    event->message = hit->message;
    event->recipient = hit->recipient;
    event->link = hit->index;
    event->kind = kind;
    event->verdict = hit_verdict_letter(hit->verdict);
    event->reason = cut(hit->reason, REASON_MAX);
    event->agent = cut(hit->user_agent, USER_AGENT_MAX);
    event->raw = hit->raw;
    memcpy(event->address, hit->address, sizeof event->address);
    event->address_bytes = hit->address_bytes;
    event->has_device = hit->has_device;
    memcpy(event->device, hit->device, sizeof event->device);
    return event;
}

static bool add_hit(struct cargo *cargo, const struct spool_record *record)
{
    struct record_hit hit;

    if (!record_hit_decode(record->payload, &hit))
        return false;
    add_request(cargo, record->position, &hit, hit_kind_letter(hit.kind));
    return true;
}

static bool add_document(struct cargo *cargo, const struct spool_record *record)
{
    struct record_document document;

    if (!record_document_decode(record->payload, &document))
        return false;
    if (add_request(cargo, record->position, &document.hit, document_act_letter(document.act)) &&
        document.act != DOCUMENT_FETCHED)
        store_document_event_row(&cargo->document, &document, cargo->spool, record->position);
    return true;
}

static bool add_beacon(struct cargo *cargo, const struct spool_record *record)
{
    struct record_beacon beacon;
    struct store_event *event;

    if (!record_beacon_decode(record->payload, &beacon))
        return false;
    event = add_request(cargo, record->position, &beacon.hit, EVENT_OPENED);
    if (!event)
        return true;
    event->only_news = true;
    store_beacon_row(&cargo->beacon, &beacon, cargo->spool, event);
    return true;
}

bool cargo_add_read(struct cargo *cargo, uint64_t record, int64_t place)
{
    const struct store_event *beacon = cargo_event_of(cargo, record);
    struct store_event *event;

    if (!beacon)
        return true;
    if (cargo->reads == cargo->reads_room) {
        size_t room = cargo->reads_room ? 2 * cargo->reads_room : 64;
        struct store_event *read = reallocarray(cargo->read, room, sizeof *read);

        if (!read)
            return false;
        cargo->read = read;
        cargo->reads_room = room;
    }
    event = &cargo->read[cargo->reads++];
    *event = *beacon;
    event->record = record + (uint64_t)place;
    event->kind = EVENT_READ;
    event->is_new = true;
    return true;
}

static bool add_message(struct cargo *cargo, const struct spool_record *record)
{
    struct record_message message;

    if (!record_message_decode(record->payload, &message))
        return false;
    store_message_row(&cargo->message, &message);
    store_network_row(&cargo->network, &message);
    for (size_t at = 0; at < message.recipients; at++)
        store_recipient_row(&cargo->recipient, message.id, &message.recipient[at], slice_str(""));
    for (size_t at = 0; at < message.links; at++)
        store_link_row(&cargo->link, message.id, &message.link[at]);
    record_message_free(&message);
    return true;
}

static bool add_answer(struct cargo *cargo, const struct spool_record *record)
{
    struct record_answer answer;
    struct store_event *event;

    if (!record_answer_decode(record->payload, &answer))
        return false;
    event = new_event(cargo, record->position, answer.time_us);
    if (!event)
        return true;
    event->message = answer.message;
    event->recipient = answer.recipient;
    event->kind = answer_class_letter(answer.class_);
    event->verdict = hit_verdict_letter(VERDICT_UNKNOWN);
    event->only_news = true;
    store_answer_row(&cargo->answer, &answer, cargo->spool, event);
    return true;
}

static bool add_stop(struct cargo *cargo, const struct spool_record *record)
{
    struct record_stop stop;

    if (!record_stop_decode(record->payload, &stop))
        return false;
    store_stop_row(&cargo->stop, &stop);
    return true;
}

static bool add_refusal(struct cargo *cargo, const struct spool_record *record)
{
    struct record_refusal refusal;
    struct store_event *event;

    if (!record_refusal_decode(record->payload, &refusal))
        return false;
    event = new_event(cargo, record->position, refusal.time_us);
    if (!event)
        return true;
    event->message = refusal.message;
    event->recipient = refusal.recipient;
    event->kind = EVENT_REFUSED;
    event->verdict = hit_verdict_letter(VERDICT_UNKNOWN);
    event->only_news = true;
    store_refusal_row(&cargo->refusal, &refusal, cargo->spool, event);
    return true;
}

/* However old: who asked once is left alone for good. Only the event may be too old to be kept. */
static bool add_unsubscribe(struct cargo *cargo, const struct spool_record *record)
{
    struct record_unsubscribe unsubscribe;
    struct store_event *event;

    if (!record_unsubscribe_decode(record->payload, &unsubscribe))
        return false;
    store_unsubscribe_row(&cargo->unsubscribe, &unsubscribe, cargo->spool, record->position);
    event = new_event(cargo, record->position, unsubscribe.time_us);
    if (!event)
        return true;
    event->message = unsubscribe.message;
    event->recipient = unsubscribe.recipient;
    event->kind = EVENT_UNSUBSCRIBE;
    event->verdict = hit_verdict_letter(VERDICT_UNKNOWN);
    event->only_news = true;
    return true;
}

static bool add_copy(struct cargo *cargo, const struct spool_record *record)
{
    struct record_copy copy;

    if (!record_copy_decode(record->payload, &copy))
        return false;
    store_recipient_row(&cargo->recipient, copy.message, &copy.recipient, copy.original);
    return true;
}

static bool add_delivery(struct cargo *cargo, const struct spool_record *record)
{
    struct record_delivery delivery;

    if (!record_delivery_decode(record->payload, &delivery))
        return false;
    store_delivery_row(&cargo->delivery, &delivery, cargo->spool, record->position);
    return true;
}

/* What there is in spools; how each is written and read is in record_*.c, how it is stored in store_*.c. */
static bool (*const add[])(struct cargo *cargo, const struct spool_record *record) = {
    [RECORD_MESSAGE] = add_message,
    [RECORD_HIT] = add_hit,
    [RECORD_ANSWER] = add_answer,
    [RECORD_STOP] = add_stop,
    [RECORD_UNSUBSCRIBE] = add_unsubscribe,
    [RECORD_REFUSED] = add_refusal,
    [RECORD_DELIVERY] = add_delivery,
    [RECORD_COPY] = add_copy,
    [RECORD_DOCUMENT] = add_document,
    [RECORD_BEACON] = add_beacon,
};

bool store_knows(uint8_t kind)
{
    return kind < sizeof add / sizeof *add && add[kind];
}

bool cargo_add(struct cargo *cargo, const struct spool_record *record)
{
    return record->kind == RECORD_NOTHING || (store_knows(record->kind) && add[record->kind](cargo, record));
}

static int compare_record(const void *key, const void *element)
{
    uint64_t record = *(const uint64_t *)key;
    const struct store_event *event = element;

    return record < event->record ? -1 : record > event->record;
}

struct store_event *cargo_event_of(const struct cargo *cargo, uint64_t record)
{
    return bsearch(&record, cargo->event, cargo->events, sizeof *cargo->event, compare_record);
}
