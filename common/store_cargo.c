/* SPDX-License-Identifier: BSD-2-Clause */
/* store_cargo - see store_cargo.h */

#include "common/store_cargo.h"

#include "common/store_delivery.h"
#include "common/store_document_view.h"

#include <stdlib.h>
#include <string.h>

enum { REASON_MAX = 64 };

static const int64_t day_us = 86400 * (int64_t)1000000;

/* In the order of the enums; the words for the letters are in sql/002-functions.sql. */
char hit_kind_letter(enum hit_kind kind)
{
    return kind == HIT_VIEW ? 'v' : 'c';
}

static char document_act_letter(enum document_act act)
{
    return (size_t)act < 4 ? "FFRD"[act] : 'F';
}

char hit_verdict_letter(enum hit_verdict verdict)
{
    return (size_t)verdict < 6 ? "uhpfbs"[verdict] : 'u';
}

char answer_class_letter(enum answer_class class_)
{
    return (size_t)class_ < 12 ? "nopdbwtamlxr"[class_] : 'n';
}

bool cargo_init(struct cargo *cargo, size_t records)
{
    *cargo = (struct cargo){.event = calloc(records ? records : 1, sizeof *cargo->event)};
    row_set_init(&cargo->message, 15);
    row_set_init(&cargo->recipient, 4);
    row_set_init(&cargo->link, 3);
    row_set_init(&cargo->answer, 22);
    row_set_init(&cargo->stop, 8);
    row_set_init(&cargo->unsubscribe, 8);
    row_set_init(&cargo->refusal, 14);
    row_set_init(&cargo->clock, 3);
    row_set_init(&cargo->network, 3);
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
static struct cargo_event *new_event(struct cargo *cargo, uint64_t record, int64_t time_us)
{
    struct cargo_event *event = &cargo->event[cargo->events];

    if (time_us < cargo->keep_from_us) {
        cargo->dropped++;
        return NULL;
    }
    *event = (struct cargo_event){.record = record, .time_us = time_us};
    if (time_us - day_us > cargo->now_us) {
        row_set_integer(&cargo->clock, cargo->spool);
        row_set_integer(&cargo->clock, (int64_t)record);
        row_set_integer(&cargo->clock, time_us);
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
static struct cargo_event *add_request(struct cargo *cargo, uint64_t record, const struct record_hit *hit, char kind)
{
    struct cargo_event *event = new_event(cargo, record, hit->time_us);

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
    static const uint8_t no_view[VIEW_BYTES];
    struct record_document document;

    if (!record_document_decode(record->payload, &document))
        return false;
    if (!add_request(cargo, record->position, &document.hit, document_act_letter(document.act)) ||
        document.act == DOCUMENT_FETCHED)
        return true;
    row_set_integer(&cargo->document, cargo->spool);
    row_set_integer(&cargo->document, (int64_t)record->position);
    if (memcmp(document.view, no_view, VIEW_BYTES) == 0)
        row_set_text_or_null(&cargo->document, slice_str(""));
    else
        row_set_hex(&cargo->document, document.view, VIEW_BYTES);
    row_set_integer(&cargo->document, (int64_t)document.document);
    if (document.page == 0)
        row_set_text_or_null(&cargo->document, slice_str(""));
    else
        row_set_integer(&cargo->document, document.page);
    return true;
}

/* The pages of a beacon, or their times, as the text of an array. */
static void add_pages(struct row_set *row, const struct record_beacon *beacon, bool times)
{
    struct buf text;

    buf_init(&text, 12 * BEACON_PAGES_MAX);
    for (size_t n = 0; n < beacon->pages; n++)
        buf_add_f(&text, "%s%u", n ? "," : "{", times ? beacon->page[n].ms : beacon->page[n].page);
    buf_add_str(&text, beacon->pages ? "}" : "{}");
    row_set_text(row, buf_slice(&text));
    buf_free(&text);
}

static void add_beacon_row(struct cargo *cargo, const struct record_beacon *beacon, const struct cargo_event *event)
{
    struct row_set *row = &cargo->beacon;

    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)event->message);
    row_set_integer(row, (int16_t)event->link);
    row_set_integer(row, (int32_t)event->recipient);
    row_set_text(row, slice_of(&event->verdict, 1));
    row_set_address(row, event->address, event->address_bytes);
    row_set_hex(row, beacon->view, VIEW_BYTES);
    row_set_integer(row, (int64_t)beacon->document);
    row_set_integer(row, beacon->started_us);
    row_set_integer(row, beacon->visible_ms);
    row_set_integer(row, beacon->trusted);
    row_set_integer(row, beacon->automated);
    row_set_integer(row, beacon->current);
    add_pages(row, beacon, false);
    add_pages(row, beacon, true);
}

static bool add_beacon(struct cargo *cargo, const struct spool_record *record)
{
    struct record_beacon beacon;
    struct cargo_event *event;

    if (!record_beacon_decode(record->payload, &beacon))
        return false;
    event = add_request(cargo, record->position, &beacon.hit, CARGO_OPENED);
    if (!event)
        return true;
    event->only_news = true;
    add_beacon_row(cargo, &beacon, event);
    return true;
}

bool cargo_add_read(struct cargo *cargo, uint64_t record, int64_t place)
{
    const struct cargo_event *beacon = cargo_event_of(cargo, record);
    struct cargo_event *event;

    if (!beacon)
        return true;
    if (cargo->reads == cargo->reads_room) {
        size_t room = cargo->reads_room ? 2 * cargo->reads_room : 64;
        struct cargo_event *read = reallocarray(cargo->read, room, sizeof *read);

        if (!read)
            return false;
        cargo->read = read;
        cargo->reads_room = room;
    }
    event = &cargo->read[cargo->reads++];
    *event = *beacon;
    event->record = record + (uint64_t)place;
    event->kind = CARGO_READ;
    event->is_new = true;
    return true;
}

void cargo_message_row(struct row_set *row, const struct record_message *message)
{
    row_set_integer(row, (int64_t)message->id);
    row_set_integer(row, message->time_us);
    row_set_integer(row, (int64_t)message->size);
    row_set_text(row, slice_str(tracking_level_name(message->level)));
    row_set_integer(row, message->pixels);
    row_set_text(row, message->owner);
    row_set_text_or_null(row, message->sender);
    row_set_text_or_null(row, message->envelope_sender);
    row_set_text_or_null(row, message->subject);
    row_set_text_or_null(row, message->sent_message_id);
    row_set_text_or_null(row, message->client_message_id);
    row_set_text_or_null(row, message->campaign);
    row_set_text_or_null(row, message->host);
    row_set_text_or_null(row, message->queue_id);
    row_set_integer(row, message->sent_to);
}

static void add_network(struct cargo *cargo, const struct record_message *message)
{
    if (message->submitted_from_bytes == 0)
        return;
    row_set_text(&cargo->network, message->owner);
    row_set_address(&cargo->network, message->submitted_from, message->submitted_from_bytes);
    row_set_integer(&cargo->network, message->time_us);
}

static void add_recipient(struct cargo *cargo, uint64_t message, const struct record_recipient *recipient, struct slice original)
{
    row_set_integer(&cargo->recipient, (int64_t)message);
    row_set_text(&cargo->recipient, recipient->address);
    row_set_integer(&cargo->recipient, (int32_t)recipient->key);
    row_set_text_or_null(&cargo->recipient, original);
}

static bool add_message(struct cargo *cargo, const struct spool_record *record)
{
    struct record_message message;

    if (!record_message_decode(record->payload, &message))
        return false;
    cargo_message_row(&cargo->message, &message);
    add_network(cargo, &message);
    for (size_t at = 0; at < message.recipients; at++)
        add_recipient(cargo, message.id, &message.recipient[at], slice_str(""));
    for (size_t at = 0; at < message.links; at++) {
        row_set_integer(&cargo->link, (int64_t)message.id);
        row_set_integer(&cargo->link, (int16_t)message.link[at].index);
        row_set_text(&cargo->link, message.link[at].destination);
    }
    record_message_free(&message);
    return true;
}

static bool add_answer(struct cargo *cargo, const struct spool_record *record)
{
    static const char *const hard[] = {[HARD_UNKNOWN] = "", [HARD_NO] = "no", [HARD_YES] = "yes"};
    struct row_set *row = &cargo->answer;
    struct record_answer answer;
    struct cargo_event *event;

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
    row_set_integer(row, (int64_t)answer.message);
    row_set_hex(row, answer.digest, sizeof answer.digest);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)record->position);
    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int32_t)answer.recipient);
    row_set_integer(row, (int32_t)answer.answerer_key);
    row_set_text(row, slice_str(answer_class_name(answer.class_)));
    row_set_text(row, slice_str(answer_rung_name(answer.rung)));
    row_set_text(row, slice_str(answer_confidence_name(answer.confidence)));
    row_set_text(row, slice_str(answer_answerer_name(answer.answerer)));
    row_set_text_or_null(row, answer.from);
    row_set_text_or_null(row, answer.envelope_sender);
    row_set_text_or_null(row, answer.subject);
    row_set_text_or_null(row, answer.message_id);
    row_set_text_or_null(row, answer.host);
    row_set_text_or_null(row, answer.queue_id);
    row_set_text_or_null(row, answer.about);
    row_set_text_or_null(row, answer.status);
    row_set_text_or_null(row, slice_str(hard[answer.hard]));
    row_set_integer(row, answer.effect);
    row_set_text_or_null(row, answer.text);
    return true;
}

void cargo_stop_row(struct row_set *row, const struct record_stop *stop)
{
    row_set_integer(row, (int64_t)stop->message);
    row_set_text(row, stop->address);
    row_set_integer(row, (int32_t)stop->recipient);
    row_set_text(row, slice_str(answer_class_name(stop->class_)));
    row_set_integer(row, stop->others);
    row_set_integer(row, stop->time_us);
    row_set_integer(row, stop->until_us);
    row_set_hex(row, stop->digest, sizeof stop->digest);
}

static bool add_stop(struct cargo *cargo, const struct spool_record *record)
{
    struct record_stop stop;

    if (!record_stop_decode(record->payload, &stop))
        return false;
    cargo_stop_row(&cargo->stop, &stop);
    return true;
}

static bool add_refusal(struct cargo *cargo, const struct spool_record *record)
{
    struct row_set *row = &cargo->refusal;
    struct record_refusal refusal;
    struct cargo_event *event;

    if (!record_refusal_decode(record->payload, &refusal))
        return false;
    event = new_event(cargo, record->position, refusal.time_us);
    if (!event)
        return true;
    event->message = refusal.message;
    event->recipient = refusal.recipient;
    event->kind = CARGO_REFUSED;
    event->verdict = hit_verdict_letter(VERDICT_UNKNOWN);
    event->only_news = true;
    row_set_text(row, refusal.campaign);
    row_set_text(row, refusal.address);
    row_set_hex(row, refusal.digest, sizeof refusal.digest);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)record->position);
    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int64_t)refusal.message);
    row_set_text(row, refusal.reason);
    row_set_text_or_null(row, refusal.owner);
    row_set_text_or_null(row, refusal.sender);
    row_set_text_or_null(row, refusal.subject);
    row_set_text_or_null(row, refusal.message_id);
    row_set_text_or_null(row, refusal.host);
    row_set_text_or_null(row, refusal.queue_id);
    return true;
}

void cargo_unsubscribe_row(struct row_set *row, const struct record_unsubscribe *unsubscribe, int32_t spool,
                           uint64_t record)
{
    row_set_integer(row, (int64_t)unsubscribe->message);
    row_set_text(row, unsubscribe->address);
    row_set_integer(row, (int32_t)unsubscribe->recipient);
    row_set_text(row, slice_str(unsubscribe_way_name(unsubscribe->way)));
    row_set_integer(row, unsubscribe->everywhere);
    row_set_integer(row, unsubscribe->time_us);
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)record);
}

/* However old: who asked once is left alone for good. Only the event may be too old to be kept. */
static bool add_unsubscribe(struct cargo *cargo, const struct spool_record *record)
{
    struct record_unsubscribe unsubscribe;
    struct cargo_event *event;

    if (!record_unsubscribe_decode(record->payload, &unsubscribe))
        return false;
    cargo_unsubscribe_row(&cargo->unsubscribe, &unsubscribe, cargo->spool, record->position);
    event = new_event(cargo, record->position, unsubscribe.time_us);
    if (!event)
        return true;
    event->message = unsubscribe.message;
    event->recipient = unsubscribe.recipient;
    event->kind = CARGO_UNSUBSCRIBE;
    event->verdict = hit_verdict_letter(VERDICT_UNKNOWN);
    event->only_news = true;
    return true;
}

static bool add_copy(struct cargo *cargo, const struct spool_record *record)
{
    struct record_copy copy;

    if (!record_copy_decode(record->payload, &copy))
        return false;
    add_recipient(cargo, copy.message, &copy.recipient, copy.original);
    return true;
}

static bool add_delivery(struct cargo *cargo, const struct spool_record *record)
{
    struct row_set *row = &cargo->delivery;
    struct record_delivery delivery;

    if (!record_delivery_decode(record->payload, &delivery))
        return false;
    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int64_t)record->position);
    row_set_text(row, slice_str(delivery_state_name(delivery.state)));
    row_set_integer(row, delivery.time_us);
    row_set_text(row, delivery.host);
    row_set_text(row, delivery.queue_id);
    row_set_text_or_null(row, delivery.first);
    row_set_text(row, delivery.recipient);
    row_set_text_or_null(row, delivery.original);
    row_set_text_or_null(row, delivery.relay);
    row_set_text_or_null(row, delivery.relay_address);
    row_set_text_or_null(row, delivery.status);
    row_set_text_or_null(row, delivery.text);
    row_set_text_or_null(row, delivery.goes_on_as);
    row_set_text_or_null(row, delivery.assigned_id);
    row_set_integer(row, delivery.tls);
    return true;
}

bool cargo_add(struct cargo *cargo, const struct spool_record *record)
{
    switch (record->kind) {
    case RECORD_MESSAGE:
        return add_message(cargo, record);
    case RECORD_HIT:
        return add_hit(cargo, record);
    case RECORD_ANSWER:
        return add_answer(cargo, record);
    case RECORD_STOP:
        return add_stop(cargo, record);
    case RECORD_REFUSED:
        return add_refusal(cargo, record);
    case RECORD_UNSUBSCRIBE:
        return add_unsubscribe(cargo, record);
    case RECORD_COPY:
        return add_copy(cargo, record);
    case RECORD_DELIVERY:
        return add_delivery(cargo, record);
    case RECORD_DOCUMENT:
        return add_document(cargo, record);
    case RECORD_BEACON:
        return add_beacon(cargo, record);
    case RECORD_NOTHING:
        return true;
    default:
        return false;
    }
}

static int compare_record(const void *key, const void *element)
{
    uint64_t record = *(const uint64_t *)key;
    const struct cargo_event *event = element;

    return record < event->record ? -1 : record > event->record;
}

struct cargo_event *cargo_event_of(const struct cargo *cargo, uint64_t record)
{
    return bsearch(&record, cargo->event, cargo->events, sizeof *cargo->event, compare_record);
}
