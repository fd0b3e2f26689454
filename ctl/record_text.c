/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/record_text.h"

#include "common/hex.h"
#include "common/record.h"
#include "common/record_document.h"
#include "common/utf8.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <time.h>

static bool is_plain(struct slice text)
{
    for (size_t n = 0; n < text.len; n++)
        if (!ascii_is_alpha(text.p[n]) && !ascii_is_digit(text.p[n]) && !strchr("-+._:@/<>", text.p[n]))
            return false;
    return memchr(text.p, '\0', text.len) == NULL;
}

/* How many bytes from here on are a character that a terminal shows and obeys in nothing; 0: none. */
static size_t shown_bytes(struct slice text)
{
    size_t bytes = utf8_character(text);
    unsigned char first = (unsigned char)text.p[0];
    bool obeyed = first < 0x20 || first == 0x7f || (first == 0xc2 && bytes == 2 && (unsigned char)text.p[1] < 0xa0);

    return obeyed ? 0 : bytes;
}

static void add_quoted(struct buf *out, struct slice text)
{
    buf_add_char(out, '"');
    while (text.len) {
        size_t bytes = shown_bytes(text);

        if (bytes == 0)
            buf_add_f(out, "\\x%02x", (unsigned char)text.p[0]);
        else if (text.p[0] == '"' || text.p[0] == '\\')
            buf_add_f(out, "\\%c", text.p[0]);
        else
            buf_add_slice(out, slice_of(text.p, bytes));
        text = slice_from(text, bytes ? bytes : 1);
    }
    buf_add_char(out, '"');
}

static void add_text(struct buf *out, const char *key, struct slice text)
{
    if (text.len == 0)
        return;
    buf_add_f(out, " %s=", key);
    if (is_plain(text))
        buf_add_slice(out, text);
    else
        add_quoted(out, text);
}

static void add_word(struct buf *out, const char *key, const char *word)
{
    add_text(out, key, slice_str(word));
}

static void add_number(struct buf *out, const char *key, uint64_t number)
{
    buf_add_f(out, " %s=%" PRIu64, key, number);
}

/* A recipient as its token has it; 0 is one of the recipients. */
static void add_key(struct buf *out, const char *key, uint32_t recipient)
{
    if (recipient)
        buf_add_f(out, " %s=%08" PRIx32, key, recipient);
}

static void add_time(struct buf *out, const char *key, int64_t time_us)
{
    time_t seconds = (time_t)(time_us / 1000000);
    char text[32];
    struct tm utc;

    if (time_us && gmtime_r(&seconds, &utc) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc))
        buf_add_f(out, " %s=%s.%06dZ", key, text, (int)(time_us % 1000000));
}

static void add_address(struct buf *out, const char *key, const uint8_t address[16], unsigned bytes)
{
    char text[INET6_ADDRSTRLEN];

    if (bytes && inet_ntop(bytes == 4 ? AF_INET : AF_INET6, address, text, sizeof text))
        add_word(out, key, text);
}

static void add_digest(struct buf *out, const uint8_t digest[32])
{
    buf_add_str(out, " digest=");
    hex_add(out, digest, 32);
}

static bool add_message(struct buf *out, struct slice payload)
{
    struct record_message message;

    if (!record_message_decode(payload, &message))
        return false;
    add_time(out, "time", message.time_us);
    add_number(out, "message", message.id);
    add_word(out, "level", tracking_level_name(message.level));
    add_number(out, "pixels", message.pixels);
    add_number(out, "size", message.size);
    add_text(out, "owner", message.owner);
    add_text(out, "sender", message.sender);
    add_text(out, "envelope_sender", message.envelope_sender);
    add_text(out, "subject", message.subject);
    add_text(out, "sent_message_id", message.sent_message_id);
    add_text(out, "client_message_id", message.client_message_id);
    add_text(out, "campaign", message.campaign);
    add_text(out, "host", message.host);
    add_text(out, "queue_id", message.queue_id);
    add_number(out, "sent_to", message.sent_to);
    add_address(out, "submitted_from", message.submitted_from, message.submitted_from_bytes);
    for (size_t n = 0; n < message.recipients; n++)
        add_text(out, "recipient", message.recipient[n].address);
    for (size_t n = 0; n < message.links; n++)
        add_text(out, "link", message.link[n].destination);
    record_message_free(&message);
    return true;
}

/* OF is what was asked for, and INDEX which of these. */
static void add_request(struct buf *out, const char *of, const char *index, const struct record_hit *hit)
{
    add_time(out, "time", hit->time_us);
    add_word(out, "of", of);
    add_number(out, "message", hit->message);
    add_key(out, "recipient", hit->recipient);
    if (hit->index)
        add_number(out, index, hit->index);
    add_word(out, "verdict", hit_verdict_name(hit->verdict));
    add_text(out, "reason", hit->reason);
    add_address(out, "address", hit->address, hit->address_bytes);
    if (hit->has_device) {
        buf_add_str(out, " device=");
        hex_add(out, hit->device, sizeof hit->device);
    }
    add_text(out, "agent", hit->user_agent);
    add_text(out, "target", hit->raw);
}

static bool add_hit(struct buf *out, struct slice payload)
{
    struct record_hit hit;

    if (!record_hit_decode(payload, &hit))
        return false;
    add_request(out, hit_kind_name(hit.kind), "link", &hit);
    return true;
}

static void add_view(struct buf *out, uint64_t document, const uint8_t view[VIEW_BYTES])
{
    add_number(out, "document", document);
    buf_add_str(out, " view=");
    hex_add(out, view, VIEW_BYTES);
}

static bool add_document(struct buf *out, struct slice payload)
{
    struct record_document document;

    if (!record_document_decode(payload, &document))
        return false;
    add_request(out, document_act_name(document.act), "attachment", &document.hit);
    if (document.page)
        add_number(out, "page", document.page);
    add_view(out, document.document, document.view);
    return true;
}

static bool add_beacon(struct buf *out, struct slice payload)
{
    struct record_beacon beacon;

    if (!record_beacon_decode(payload, &beacon))
        return false;
    add_request(out, "beacon", "attachment", &beacon.hit);
    add_view(out, beacon.document, beacon.view);
    add_time(out, "started", beacon.started_us);
    add_number(out, "sequence", beacon.sequence);
    add_number(out, "visible_ms", beacon.visible_ms);
    add_number(out, "trusted", beacon.trusted);
    add_word(out, "automated", beacon.automated ? "yes" : "no");
    add_number(out, "current", beacon.current);
    for (size_t n = 0; n < beacon.pages; n++)
        buf_add_f(out, " page=%u:%" PRIu32, beacon.page[n].page, beacon.page[n].ms);
    return true;
}

static bool add_answer(struct buf *out, struct slice payload)
{
    struct record_answer answer;

    if (!record_answer_decode(payload, &answer))
        return false;
    add_time(out, "time", answer.time_us);
    add_number(out, "message", answer.message);
    add_key(out, "recipient", answer.recipient);
    add_word(out, "class", answer_class_name(answer.class_));
    add_word(out, "rung", answer_rung_name(answer.rung));
    add_word(out, "confidence", answer_confidence_name(answer.confidence));
    add_word(out, "answerer", answer_answerer_name(answer.answerer));
    add_text(out, "from", answer.from);
    add_text(out, "envelope_sender", answer.envelope_sender);
    add_text(out, "subject", answer.subject);
    add_text(out, "message_id", answer.message_id);
    add_text(out, "host", answer.host);
    add_text(out, "queue_id", answer.queue_id);
    add_text(out, "about", answer.about);
    add_text(out, "status", answer.status);
    if (answer.hard != HARD_UNKNOWN)
        add_word(out, "hard", answer.hard == HARD_YES ? "yes" : "no");
    if (answer.about.len)
        add_word(out, "effect", answer.effect ? "yes" : "no");
    add_digest(out, answer.digest);
    return true;
}

static bool add_stop(struct buf *out, struct slice payload)
{
    struct record_stop stop;

    if (!record_stop_decode(payload, &stop))
        return false;
    add_time(out, "time", stop.time_us);
    add_number(out, "message", stop.message);
    add_text(out, "address", stop.address);
    add_key(out, "recipient", stop.recipient);
    add_word(out, "class", answer_class_name(stop.class_));
    add_word(out, "others", stop.others ? "yes" : "no");
    add_time(out, "until", stop.until_us);
    add_digest(out, stop.digest);
    return true;
}

static bool add_unsubscribe(struct buf *out, struct slice payload)
{
    struct record_unsubscribe unsubscribe;

    if (!record_unsubscribe_decode(payload, &unsubscribe))
        return false;
    add_time(out, "time", unsubscribe.time_us);
    add_number(out, "message", unsubscribe.message);
    add_text(out, "address", unsubscribe.address);
    add_key(out, "recipient", unsubscribe.recipient);
    add_word(out, "way", unsubscribe_way_name(unsubscribe.way));
    add_word(out, "everywhere", unsubscribe.everywhere ? "yes" : "no");
    return true;
}

static bool add_refusal(struct buf *out, struct slice payload)
{
    struct record_refusal refusal;

    if (!record_refusal_decode(payload, &refusal))
        return false;
    add_time(out, "time", refusal.time_us);
    add_number(out, "message", refusal.message);
    add_text(out, "campaign", refusal.campaign);
    add_text(out, "address", refusal.address);
    add_key(out, "recipient", refusal.recipient);
    add_text(out, "reason", refusal.reason);
    add_text(out, "owner", refusal.owner);
    add_text(out, "sender", refusal.sender);
    add_text(out, "subject", refusal.subject);
    add_text(out, "message_id", refusal.message_id);
    add_text(out, "host", refusal.host);
    add_text(out, "queue_id", refusal.queue_id);
    add_digest(out, refusal.digest);
    return true;
}

static bool add_delivery(struct buf *out, struct slice payload)
{
    struct record_delivery delivery;

    if (!record_delivery_decode(payload, &delivery))
        return false;
    add_time(out, "time", delivery.time_us);
    add_word(out, "state", delivery_state_name(delivery.state));
    add_text(out, "host", delivery.host);
    add_text(out, "queue_id", delivery.queue_id);
    add_text(out, "first", delivery.first);
    add_text(out, "recipient", delivery.recipient);
    add_text(out, "original", delivery.original);
    add_text(out, "relay", delivery.relay);
    add_text(out, "relay_address", delivery.relay_address);
    add_text(out, "status", delivery.status);
    add_text(out, "text", delivery.text);
    add_text(out, "goes_on_as", delivery.goes_on_as);
    add_text(out, "assigned_id", delivery.assigned_id);
    add_word(out, "tls", delivery.tls ? "yes" : "unknown");
    return true;
}

static bool add_copy(struct buf *out, struct slice payload)
{
    struct record_copy copy;

    if (!record_copy_decode(payload, &copy))
        return false;
    add_number(out, "message", copy.message);
    add_text(out, "recipient", copy.recipient.address);
    add_text(out, "original", copy.original);
    return true;
}

static const struct {
    enum record_kind kind;
    const char *name;
    bool (*add)(struct buf *out, struct slice payload);
} kinds[] = {
    {RECORD_MESSAGE, "message", add_message},
    {RECORD_HIT, "hit", add_hit},
    {RECORD_ANSWER, "answer", add_answer},
    {RECORD_STOP, "stop", add_stop},
    {RECORD_UNSUBSCRIBE, "unsubscribe", add_unsubscribe},
    {RECORD_REFUSED, "refusal", add_refusal},
    {RECORD_DELIVERY, "delivery", add_delivery},
    {RECORD_COPY, "copy", add_copy},
    {RECORD_DOCUMENT, "document", add_document},
    {RECORD_BEACON, "beacon", add_beacon},
};

void record_text_add(struct buf *out, const struct spool_record *record)
{
    buf_add_f(out, "position=%" PRIu64, record->position);
    for (size_t n = 0; n < sizeof kinds / sizeof *kinds; n++)
        if (record->kind == (uint8_t)kinds[n].kind) {
            buf_add_f(out, " kind=%s", kinds[n].name);
            if (!kinds[n].add(out, record->payload))
                buf_add_f(out, " unreadable=%zu", record->payload.len);
            return;
        }
    buf_add_f(out, " kind=%u bytes=%zu", record->kind, record->payload.len);
}
