/* SPDX-License-Identifier: BSD-2-Clause */
/* record_words - the words for what records hold in numbers, as in the database, the log and spoorctl; see record.h */

#include "common/record.h"

static const char *word_of(const char *const *words, size_t count, unsigned value)
{
    return value < count && words[value] ? words[value] : "unknown";
}

#define WORD_OF(words, value) word_of(words, sizeof(words) / sizeof *(words), (unsigned)(value))

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
    static const char *const words[] = {[UNSUBSCRIBE_WEB] = "web", [UNSUBSCRIBE_MAIL] = "mail",
                                        [UNSUBSCRIBE_TRACKING] = "tracking"};

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
