/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record - see record.h
 *
 * In the layouts below uN is a little-endian number of N bits, iN a signed one, text a u16 length and
 * that many bytes. A decoder takes what it knows and leaves what a newer version added at the end.
 */

#include "common/record.h"
#include "common/little_endian.h"

#include <stdlib.h>

/* writing */

static void put_u8(struct buf *out, unsigned value)
{
    buf_add_char(out, (char)(uint8_t)value);
}

static void put_u16(struct buf *out, uint16_t value)
{
    char bytes[sizeof value];

    le16_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

static void put_u32(struct buf *out, uint32_t value)
{
    char bytes[sizeof value];

    le32_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

static void put_u64(struct buf *out, uint64_t value)
{
    char bytes[sizeof value];

    le64_put(bytes, value);
    buf_add(out, bytes, sizeof bytes);
}

static void put_text(struct buf *out, struct slice text)
{
    if (text.len > UINT16_MAX) {
        out->failed = true;
        return;
    }
    put_u16(out, (uint16_t)text.len);
    buf_add_slice(out, text);
}

/* Half a payload must not stay in OUT, for the caller may add it to other things. */
static bool put_done(struct buf *out, size_t start)
{
    if (!out->failed)
        return true;
    out->len = start;
    return false;
}

/* reading: past the end all numbers are 0 and `bad` is set */

struct input {
    struct slice rest;
    bool bad;
};

static const char *take(struct input *in, size_t len)
{
    const char *p = in->rest.p;

    if (in->bad || in->rest.len < len) {
        in->bad = true;
        return NULL;
    }
    in->rest = slice_from(in->rest, len);
    return p;
}

static uint8_t take_u8(struct input *in)
{
    const char *p = take(in, 1);

    return p ? (uint8_t)*p : 0;
}

static uint16_t take_u16(struct input *in)
{
    const char *p = take(in, sizeof(uint16_t));

    return p ? le16_get(p) : 0;
}

static uint32_t take_u32(struct input *in)
{
    const char *p = take(in, sizeof(uint32_t));

    return p ? le32_get(p) : 0;
}

static uint64_t take_u64(struct input *in)
{
    const char *p = take(in, sizeof(uint64_t));

    return p ? le64_get(p) : 0;
}

static struct slice take_text(struct input *in)
{
    size_t len = take_u16(in);
    const char *p = take(in, len);

    return slice_of(p, p ? len : 0);
}

static void take_bytes(struct input *in, void *to, size_t len)
{
    const char *p = take(in, len);

    if (p)
        memcpy(to, p, len);
}

/* An enumeration's number; one that we do not know cannot be put into words later. */
static unsigned take_word(struct input *in, unsigned first, unsigned last)
{
    unsigned value = take_u8(in);

    if (value < first || value > last)
        in->bad = true;
    return in->bad ? first : value;
}

/*
 * message: u64 id, i64 time_us, u8 level, u8 pixels, u64 size, texts owner sender envelope_sender subject
 * sent_message_id client_message_id campaign host queue_id, u32 recipients of (u32 key, text address),
 * u32 links of (u16 index, text destination), u32 sent_to
 */
bool record_message_encode(const struct record_message *message, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, message->id);
    put_u64(out, (uint64_t)message->time_us);
    put_u8(out, message->level);
    put_u8(out, message->pixels);
    put_u64(out, message->size);
    put_text(out, message->owner);
    put_text(out, message->sender);
    put_text(out, message->envelope_sender);
    put_text(out, message->subject);
    put_text(out, message->sent_message_id);
    put_text(out, message->client_message_id);
    put_text(out, message->campaign);
    put_text(out, message->host);
    put_text(out, message->queue_id);
    put_u32(out, (uint32_t)message->recipients);
    for (size_t n = 0; n < message->recipients; n++) {
        put_u32(out, message->recipient[n].key);
        put_text(out, message->recipient[n].address);
    }
    put_u32(out, (uint32_t)message->links);
    for (size_t n = 0; n < message->links; n++) {
        put_u16(out, message->link[n].index);
        put_text(out, message->link[n].destination);
    }
    put_u32(out, message->sent_to);
    return put_done(out, start);
}

/* How many entries follow; a count that the rest cannot hold is bad, so no memory is taken on its word. */
static size_t take_count(struct input *in, size_t entry_min)
{
    size_t count = take_u32(in);

    if (count > in->rest.len / entry_min)
        in->bad = true;
    return in->bad ? 0 : count;
}

static void take_recipients(struct input *in, struct record_message *message)
{
    size_t count = take_count(in, sizeof(uint32_t) + sizeof(uint16_t));

    if (count == 0)
        return;
    message->recipient = calloc(count, sizeof *message->recipient);
    if (!message->recipient) {
        in->bad = true;
        return;
    }
    message->recipients = count;
    for (size_t n = 0; n < count; n++) {
        message->recipient[n].key = take_u32(in);
        message->recipient[n].address = take_text(in);
    }
}

static void take_links(struct input *in, struct record_message *message)
{
    size_t count = take_count(in, sizeof(uint16_t) + sizeof(uint16_t));

    if (count == 0)
        return;
    message->link = calloc(count, sizeof *message->link);
    if (!message->link) {
        in->bad = true;
        return;
    }
    message->links = count;
    for (size_t n = 0; n < count; n++) {
        message->link[n].index = take_u16(in);
        message->link[n].destination = take_text(in);
    }
}

bool record_message_decode(struct slice payload, struct record_message *message)
{
    struct input in = {payload, false};

    *message = (struct record_message){0};
    message->id = take_u64(&in);
    message->time_us = (int64_t)take_u64(&in);
    message->level = take_word(&in, LEVEL_OFF, LEVEL_INDIVIDUAL);
    message->pixels = take_u8(&in);
    message->size = take_u64(&in);
    message->owner = take_text(&in);
    message->sender = take_text(&in);
    message->envelope_sender = take_text(&in);
    message->subject = take_text(&in);
    message->sent_message_id = take_text(&in);
    message->client_message_id = take_text(&in);
    message->campaign = take_text(&in);
    message->host = take_text(&in);
    message->queue_id = take_text(&in);
    take_recipients(&in, message);
    take_links(&in, message);
    message->sent_to = take_u32(&in);
    if (in.bad)
        record_message_free(message);
    return !in.bad;
}

uint32_t record_message_key(const struct record_message *message, struct slice address)
{
    for (size_t at = 0; at < message->recipients; at++)
        if (slice_eq(message->recipient[at].address, address))
            return message->recipient[at].key;
    return 0;
}

void record_message_free(struct record_message *message)
{
    free(message->recipient);
    free(message->link);
    *message = (struct record_message){0};
}

/*
 * hit: u8 kind, u64 message, u32 recipient, u16 index, i64 time_us, u8 verdict, u8 address bytes and those,
 * texts reason user_agent raw
 */
bool record_hit_encode(const struct record_hit *hit, struct buf *out)
{
    size_t start = out->len;
    struct slice agent = hit->user_agent;

    if (agent.len > USER_AGENT_MAX)
        agent.len = USER_AGENT_MAX;
    put_u8(out, hit->kind);
    put_u64(out, hit->message);
    put_u32(out, hit->recipient);
    put_u16(out, hit->index);
    put_u64(out, (uint64_t)hit->time_us);
    put_u8(out, hit->verdict);
    put_u8(out, hit->address_bytes);
    buf_add(out, hit->address, hit->address_bytes);
    put_text(out, hit->reason);
    put_text(out, agent);
    put_text(out, hit->raw);
    return put_done(out, start);
}

bool record_hit_decode(struct slice payload, struct record_hit *hit)
{
    struct input in = {payload, false};

    *hit = (struct record_hit){0};
    hit->kind = take_word(&in, HIT_VIEW, HIT_CLICK);
    hit->message = take_u64(&in);
    hit->recipient = take_u32(&in);
    hit->index = take_u16(&in);
    hit->time_us = (int64_t)take_u64(&in);
    hit->verdict = take_word(&in, VERDICT_UNKNOWN, VERDICT_SELF);
    hit->address_bytes = take_u8(&in);
    if (hit->address_bytes != 0 && hit->address_bytes != 4 && hit->address_bytes != 16)
        return false;
    take_bytes(&in, hit->address, hit->address_bytes);
    hit->reason = take_text(&in);
    hit->user_agent = take_text(&in);
    hit->raw = take_text(&in);
    return !in.bad;
}

/*
 * answer: u64 message, u32 recipient, i64 time_us, u8 class, u8 rung, u8 confidence, u8 answerer, u32
 * answerer_key, 32 bytes digest, texts from envelope_sender subject message_id host queue_id; since then also
 * texts about status, u8 hard, u8 effect
 */
bool record_answer_encode(const struct record_answer *answer, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, answer->message);
    put_u32(out, answer->recipient);
    put_u64(out, (uint64_t)answer->time_us);
    put_u8(out, answer->class_);
    put_u8(out, answer->rung);
    put_u8(out, answer->confidence);
    put_u8(out, answer->answerer);
    put_u32(out, answer->answerer_key);
    buf_add(out, answer->digest, sizeof answer->digest);
    put_text(out, answer->from);
    put_text(out, answer->envelope_sender);
    put_text(out, answer->subject);
    put_text(out, answer->message_id);
    put_text(out, answer->host);
    put_text(out, answer->queue_id);
    put_text(out, answer->about);
    put_text(out, answer->status);
    put_u8(out, answer->hard);
    put_u8(out, answer->effect);
    return put_done(out, start);
}

/* What a delivery report says; records of the first version lack it. */
static void take_report(struct input *in, struct record_answer *answer)
{
    answer->about = take_text(in);
    answer->status = take_text(in);
    answer->hard = take_word(in, HARD_UNKNOWN, HARD_YES);
    answer->effect = take_word(in, false, true);
}

bool record_answer_decode(struct slice payload, struct record_answer *answer)
{
    struct input in = {payload, false};

    *answer = (struct record_answer){0};
    answer->message = take_u64(&in);
    answer->recipient = take_u32(&in);
    answer->time_us = (int64_t)take_u64(&in);
    answer->class_ = take_word(&in, ANSWER_NONE, ANSWER_REPLY);
    answer->rung = take_word(&in, RUNG_NONE, RUNG_BOUNCE_ADDRESS);
    answer->confidence = take_word(&in, CONFIDENCE_NONE, CONFIDENCE_HIGH);
    answer->answerer = take_word(&in, ANSWERER_UNKNOWN, ANSWERER_OTHER);
    answer->answerer_key = take_u32(&in);
    take_bytes(&in, answer->digest, sizeof answer->digest);
    answer->from = take_text(&in);
    answer->envelope_sender = take_text(&in);
    answer->subject = take_text(&in);
    answer->message_id = take_text(&in);
    answer->host = take_text(&in);
    answer->queue_id = take_text(&in);
    if (in.rest.len)
        take_report(&in, answer);
    return !in.bad;
}

/* stop: u64 message, u32 recipient, i64 time_us, u8 class, u8 others, i64 until_us, 32 bytes digest, text address */
bool record_stop_encode(const struct record_stop *stop, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, stop->message);
    put_u32(out, stop->recipient);
    put_u64(out, (uint64_t)stop->time_us);
    put_u8(out, stop->class_);
    put_u8(out, stop->others);
    put_u64(out, (uint64_t)stop->until_us);
    buf_add(out, stop->digest, sizeof stop->digest);
    put_text(out, stop->address);
    return put_done(out, start);
}

bool record_stop_decode(struct slice payload, struct record_stop *stop)
{
    struct input in = {payload, false};

    *stop = (struct record_stop){0};
    stop->message = take_u64(&in);
    stop->recipient = take_u32(&in);
    stop->time_us = (int64_t)take_u64(&in);
    stop->class_ = take_word(&in, ANSWER_NONE, ANSWER_REPLY);
    stop->others = take_word(&in, false, true);
    stop->until_us = (int64_t)take_u64(&in);
    take_bytes(&in, stop->digest, sizeof stop->digest);
    stop->address = take_text(&in);
    return !in.bad;
}

/*
 * refusal: u64 message, u32 recipient, i64 time_us, 32 bytes digest, texts campaign address reason owner sender subject
 * message_id host queue_id
 */
bool record_refusal_encode(const struct record_refusal *refusal, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, refusal->message);
    put_u32(out, refusal->recipient);
    put_u64(out, (uint64_t)refusal->time_us);
    buf_add(out, refusal->digest, sizeof refusal->digest);
    put_text(out, refusal->campaign);
    put_text(out, refusal->address);
    put_text(out, refusal->reason);
    put_text(out, refusal->owner);
    put_text(out, refusal->sender);
    put_text(out, refusal->subject);
    put_text(out, refusal->message_id);
    put_text(out, refusal->host);
    put_text(out, refusal->queue_id);
    return put_done(out, start);
}

bool record_refusal_decode(struct slice payload, struct record_refusal *refusal)
{
    struct input in = {payload, false};

    *refusal = (struct record_refusal){0};
    refusal->message = take_u64(&in);
    refusal->recipient = take_u32(&in);
    refusal->time_us = (int64_t)take_u64(&in);
    take_bytes(&in, refusal->digest, sizeof refusal->digest);
    refusal->campaign = take_text(&in);
    refusal->address = take_text(&in);
    refusal->reason = take_text(&in);
    refusal->owner = take_text(&in);
    refusal->sender = take_text(&in);
    refusal->subject = take_text(&in);
    refusal->message_id = take_text(&in);
    refusal->host = take_text(&in);
    refusal->queue_id = take_text(&in);
    return !in.bad;
}

/* unsubscribe: u64 message, u32 recipient, i64 time_us, u8 way, u8 everywhere, text address */
bool record_unsubscribe_encode(const struct record_unsubscribe *unsubscribe, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, unsubscribe->message);
    put_u32(out, unsubscribe->recipient);
    put_u64(out, (uint64_t)unsubscribe->time_us);
    put_u8(out, unsubscribe->way);
    put_u8(out, unsubscribe->everywhere);
    put_text(out, unsubscribe->address);
    return put_done(out, start);
}

bool record_unsubscribe_decode(struct slice payload, struct record_unsubscribe *unsubscribe)
{
    struct input in = {payload, false};

    *unsubscribe = (struct record_unsubscribe){0};
    unsubscribe->message = take_u64(&in);
    unsubscribe->recipient = take_u32(&in);
    unsubscribe->time_us = (int64_t)take_u64(&in);
    unsubscribe->way = take_word(&in, UNSUBSCRIBE_WEB, UNSUBSCRIBE_MAIL);
    unsubscribe->everywhere = take_word(&in, false, true);
    unsubscribe->address = take_text(&in);
    return !in.bad;
}

/* copy: u64 message, u32 key, text address; then, if there is one, text original */
bool record_copy_encode(const struct record_copy *copy, struct buf *out)
{
    size_t start = out->len;

    put_u64(out, copy->message);
    put_u32(out, copy->recipient.key);
    put_text(out, copy->recipient.address);
    if (copy->original.len)
        put_text(out, copy->original);
    return put_done(out, start);
}

bool record_copy_decode(struct slice payload, struct record_copy *copy)
{
    struct input in = {payload, false};

    *copy = (struct record_copy){.message = take_u64(&in)};
    copy->recipient.key = take_u32(&in);
    copy->recipient.address = take_text(&in);
    if (in.rest.len)
        copy->original = take_text(&in);
    return !in.bad;
}

/*
 * delivery: u8 state, i64 time_us, u8 tls, texts host queue_id first recipient original relay relay_address status text
 * goes_on_as assigned_id
 */
bool record_delivery_encode(const struct record_delivery *delivery, struct buf *out)
{
    size_t start = out->len;
    struct slice text = delivery->text;

    if (text.len > DELIVERY_TEXT_MAX)
        text.len = DELIVERY_TEXT_MAX;
    put_u8(out, delivery->state);
    put_u64(out, (uint64_t)delivery->time_us);
    put_u8(out, delivery->tls);
    put_text(out, delivery->host);
    put_text(out, delivery->queue_id);
    put_text(out, delivery->first);
    put_text(out, delivery->recipient);
    put_text(out, delivery->original);
    put_text(out, delivery->relay);
    put_text(out, delivery->relay_address);
    put_text(out, delivery->status);
    put_text(out, text);
    put_text(out, delivery->goes_on_as);
    put_text(out, delivery->assigned_id);
    return put_done(out, start);
}

bool record_delivery_decode(struct slice payload, struct record_delivery *delivery)
{
    struct input in = {payload, false};

    *delivery = (struct record_delivery){0};
    delivery->state = take_word(&in, DELIVERY_COPY, DELIVERY_EXPIRED);
    delivery->time_us = (int64_t)take_u64(&in);
    delivery->tls = take_word(&in, false, true);
    delivery->host = take_text(&in);
    delivery->queue_id = take_text(&in);
    delivery->first = take_text(&in);
    delivery->recipient = take_text(&in);
    delivery->original = take_text(&in);
    delivery->relay = take_text(&in);
    delivery->relay_address = take_text(&in);
    delivery->status = take_text(&in);
    delivery->text = take_text(&in);
    delivery->goes_on_as = take_text(&in);
    delivery->assigned_id = take_text(&in);
    return !in.bad;
}

/* words */

static const char *word_of(const char *const *words, size_t count, unsigned value)
{
    return value < count && words[value] ? words[value] : "unknown";
}

#define WORD_OF(words, value) word_of(words, sizeof(words) / sizeof *(words), (unsigned)(value))

/* Fields are added at the end only, so these places stay. */
bool record_time(uint8_t kind, struct slice payload, int64_t *time_us)
{
    static const uint8_t places[] = {
        [RECORD_MESSAGE] = 8, [RECORD_HIT] = 15,         [RECORD_ANSWER] = 12,
        [RECORD_STOP] = 12,   [RECORD_UNSUBSCRIBE] = 12, [RECORD_REFUSED] = 12,
        [RECORD_DELIVERY] = 1,
    };
    size_t at = kind < sizeof places ? places[kind] : 0;

    if (at == 0 || payload.len < at + sizeof *time_us)
        return false;
    *time_us = (int64_t)le64_get(payload.p + at);
    return true;
}

const char *hit_kind_name(enum hit_kind kind)
{
    static const char *const words[] = {[HIT_VIEW] = "view", [HIT_CLICK] = "click"};

    return WORD_OF(words, kind);
}

const char *hit_verdict_name(enum hit_verdict verdict)
{
    static const char *const words[] = {
        [VERDICT_UNKNOWN] = "unknown",   [VERDICT_HUMAN] = "human", [VERDICT_PROXY] = "proxy",
        [VERDICT_PREFETCH] = "prefetch", [VERDICT_BOT] = "bot",     [VERDICT_SELF] = "self",
    };

    return WORD_OF(words, verdict);
}

const char *tracking_level_name(enum tracking_level level)
{
    static const char *const words[] = {
        [LEVEL_OFF] = "off", [LEVEL_AGGREGATE] = "aggregate", [LEVEL_INDIVIDUAL] = "individual"};

    return WORD_OF(words, level);
}

const char *unsubscribe_way_name(enum unsubscribe_way way)
{
    static const char *const words[] = {[UNSUBSCRIBE_WEB] = "web", [UNSUBSCRIBE_MAIL] = "mail"};

    return WORD_OF(words, way);
}

const char *delivery_state_name(enum delivery_state state)
{
    static const char *const words[] = {
        [DELIVERY_COPY] = "copy",         [DELIVERY_DELIVERED] = "delivered", [DELIVERY_DEFERRED] = "deferred",
        [DELIVERY_BOUNCED] = "bounced",   [DELIVERY_EXPIRED] = "expired",
    };

    return WORD_OF(words, state);
}

const char *answer_class_name(enum answer_class class_)
{
    static const char *const words[] = {
        [ANSWER_NONE] = "none",           [ANSWER_OWN] = "own",         [ANSWER_COMPLAINT] = "complaint",
        [ANSWER_RECEIPT] = "receipt",     [ANSWER_BOUNCE] = "bounce",   [ANSWER_DELAY] = "delay",
        [ANSWER_DELIVERED] = "delivered", [ANSWER_MEETING] = "meeting", [ANSWER_AUTO_REPLY] = "auto_reply",
        [ANSWER_LIST] = "list",           [ANSWER_MACHINE] = "machine", [ANSWER_REPLY] = "reply",
    };

    return WORD_OF(words, class_);
}

const char *answer_rung_name(enum answer_rung rung)
{
    static const char *const words[] = {
        [RUNG_NONE] = "none",
        [RUNG_IN_REPLY_TO] = "in_reply_to",
        [RUNG_REFERENCES] = "references",
        [RUNG_ORIGINAL_MESSAGE_ID] = "original_message_id",
        [RUNG_RETURNED_HEADERS] = "returned_headers",
        [RUNG_QUOTED_URL] = "quoted_url",
        [RUNG_BOUNCE_ADDRESS] = "bounce_address",
    };

    return WORD_OF(words, rung);
}

const char *answer_confidence_name(enum answer_confidence confidence)
{
    static const char *const words[] = {[CONFIDENCE_NONE] = "none",
                                        [CONFIDENCE_LOW] = "low",
                                        [CONFIDENCE_MEDIUM] = "medium",
                                        [CONFIDENCE_HIGH] = "high"};

    return WORD_OF(words, confidence);
}

const char *answer_answerer_name(enum answer_answerer answerer)
{
    static const char *const words[] = {
        [ANSWERER_UNKNOWN] = "unknown", [ANSWERER_RECIPIENT] = "recipient", [ANSWERER_OTHER] = "other"};

    return WORD_OF(words, answerer);
}
