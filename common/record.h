/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record - what the programs note down, and its bytes in the spool.
 *
 * Slices of a decoded record point into the payload it was decoded from. Encoding is a plain run of little-endian
 * numbers and length-prefixed texts, described at each encoder (record_*.c); a newer version only adds
 * fields at the end, so older payloads still decode. Pure.
 */
#ifndef COMMON_RECORD_H
#define COMMON_RECORD_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { RECORD_BYTES_MAX = 1024 * 1024 }; /* of a payload; what the spool takes */

enum record_kind { /* on disk; never reuse a number */
    RECORD_MESSAGE = 1,
    RECORD_HIT = 2,
    RECORD_ANSWER = 3,
    RECORD_STOP = 4,
    RECORD_UNSUBSCRIBE = 5,
    RECORD_REFUSED = 6,
    RECORD_DELIVERY = 7,
    RECORD_COPY = 9,
    RECORD_DOCUMENT = 10, /* record_document.h, as the next */
    RECORD_BEACON = 11,
    RECORD_NOTHING = 255 /* never on disk: stands in a batch for what is left out */
};

/* How much may be kept about recipients; the most restrictive of all policies wins. */
enum tracking_level { LEVEL_OFF, LEVEL_AGGREGATE, LEVEL_INDIVIDUAL };

struct record_recipient {
    struct slice address; /* normal form */
    uint32_t key;         /* 0 under LEVEL_AGGREGATE */
};

struct record_link {
    uint16_t index; /* from 1 */
    struct slice destination;
};

struct record_message { /* a tracked mail, by spoor-stamp */
    uint64_t id;
    int64_t time_us;      /* when end-of-message came; microseconds since 1970 UTC, like all times here */
    enum tracking_level level;
    uint8_t pixels;       /* 0: views are not tracked */
    uint64_t size;        /* bytes of headers and body as they came */
    struct slice owner;   /* whose feed; normal form */
    struct slice sender;  /* From, normal form */
    struct slice envelope_sender;
    struct slice subject; /* decoded, UTF-8 */
    struct slice sent_message_id;   /* on the wire, no brackets */
    struct slice client_message_id; /* the program's own, no brackets; empty: it had none */
    struct slice campaign; /* empty: none */
    struct slice host;     /* of this MTA */
    struct slice queue_id;
    struct record_recipient *recipient; /* decode: owned by the struct, freed by record_message_free() */
    size_t recipients;
    struct record_link *link;
    size_t links;
    uint32_t sent_to;      /* how many recipients, also where LEVEL_AGGREGATE names none */
    uint8_t submitted_from[16]; /* of the client that submitted it under a login, network order */
    uint8_t submitted_from_bytes; /* 0 (nobody logged in, or not told), 4 or 16 */
};

enum hit_kind { HIT_VIEW = 1, HIT_CLICK = 2 };
/* The words in hit_verdict_name() are those of the database. */
enum hit_verdict { VERDICT_UNKNOWN, VERDICT_HUMAN, VERDICT_PROXY, VERDICT_PREFETCH, VERDICT_BOT, VERDICT_SELF };

struct record_hit { /* a request with a token of ours, by spoor-pixeld */
    enum hit_kind kind;
    uint64_t message;
    uint32_t recipient;
    uint16_t index;
    int64_t time_us;
    enum hit_verdict verdict;
    struct slice reason;     /* a word, see pixeld/verdict.h */
    uint8_t address[16];     /* of the client, network order */
    uint8_t address_bytes;   /* 0 (not kept), 4 or 16 */
    struct slice user_agent; /* cut to USER_AGENT_MAX */
    struct slice raw;        /* only when the key is unknown here: the request target, judged later */
    bool has_device;         /* the cookie of a sender's own browser came with it */
    uint8_t device[16];
};
enum { USER_AGENT_MAX = 512 };

enum answer_class { /* words of answer_class_name(): database, log, spoorctl match */
    ANSWER_NONE, ANSWER_OWN, ANSWER_COMPLAINT, ANSWER_RECEIPT, ANSWER_BOUNCE, ANSWER_DELAY, ANSWER_DELIVERED,
    ANSWER_AUTO_REPLY, ANSWER_MEETING, ANSWER_LIST, ANSWER_MACHINE, ANSWER_REPLY
};
enum answer_rung {
    RUNG_NONE, RUNG_IN_REPLY_TO, RUNG_REFERENCES, RUNG_ORIGINAL_MESSAGE_ID, RUNG_RETURNED_HEADERS, RUNG_QUOTED_URL,
    RUNG_BOUNCE_ADDRESS
};
enum answer_confidence { CONFIDENCE_NONE, CONFIDENCE_LOW, CONFIDENCE_MEDIUM, CONFIDENCE_HIGH };
enum answer_hard { HARD_UNKNOWN, HARD_NO, HARD_YES }; /* of a bounce: will it ever get through? */
enum answer_answerer { ANSWERER_UNKNOWN, ANSWERER_RECIPIENT, ANSWERER_OTHER };

struct record_answer { /* a mail that refers to one of ours, by spoor-match */
    uint64_t message;
    uint32_t recipient;      /* key in the token */
    int64_t time_us;
    enum answer_class class_;
    enum answer_rung rung;
    enum answer_confidence confidence;
    enum answer_answerer answerer;
    uint32_t answerer_key;   /* recipient key of the From address */
    struct slice from;       /* normal form */
    struct slice envelope_sender;
    struct slice subject;
    struct slice message_id; /* of the answer, no brackets */
    uint8_t digest[32];      /* SHA-256 of message_id, or of From, Date, Subject and In-Reply-To without one */
    struct slice host;
    struct slice queue_id;
    struct slice about;      /* whom a report names, normal form; empty: nobody */
    struct slice status;     /* of a bounce or delay, "5.1.1"; of a receipt its disposition, "displayed" */
    enum answer_hard hard;
    bool effect;             /* ABOUT is a recipient of the mail */
    struct slice text;       /* what a person wrote in a reply, UTF-8, ANSWER_TEXT_MAX at most; empty: not kept */
};

enum { ANSWER_TEXT_MAX = 16 * 1024 };

struct record_stop { /* an answer that ends a campaign or makes it pause, by spoor-match while the database is away */
    uint64_t message;
    struct slice address;    /* whom the answer concerns, normal form; empty: it names nobody */
    uint32_t recipient;      /* key in the token */
    enum answer_class class_; /* ANSWER_REPLY, ANSWER_BOUNCE, ANSWER_COMPLAINT or, for a pause, ANSWER_AUTO_REPLY */
    bool others;             /* a reply from somebody else stops it for all recipients of the mail */
    int64_t time_us;
    int64_t until_us;        /* end of a pause; 0: a stop */
    uint8_t digest[32];      /* of the answer, as there */
};

enum unsubscribe_way {
    UNSUBSCRIBE_WEB = 1,
    UNSUBSCRIBE_MAIL = 2,
    UNSUBSCRIBE_TRACKING = 3 /* on the web; not the mails are to stop, but what is told of them */
};

struct record_unsubscribe { /* somebody wants no more mail of campaigns, by spoor-pixeld or spoor-match */
    uint64_t message;        /* in the token */
    uint32_t recipient;      /* key in the token; in a mail whose token has none that of its From */
    int64_t time_us;
    enum unsubscribe_way way;
    bool everywhere;         /* from nobody, not only from the sender of that mail */
    struct slice address;    /* From of the mail that asks, normal form; empty on the web, where the key tells */
};

struct record_copy { /* one copy of a tracked mail, by spoor-stamp: an alias or an archive may have brought its recipient */
    uint64_t message;
    struct record_recipient recipient;
    struct slice original;   /* normal form; to whom it was submitted, when an alias changed that; empty: the same */
};

enum delivery_state { /* words of delivery_state_name(): database */
    DELIVERY_COPY = 1,  /* the mail goes on under another queue id */
    DELIVERY_DELIVERED, /* the next server, or the mailbox, has taken it */
    DELIVERY_DEFERRED,  /* it will be tried again */
    DELIVERY_BOUNCED,   /* refused for good */
    DELIVERY_EXPIRED    /* tried for too long; it names no recipient: all who were deferred */
};

struct record_delivery { /* a line of the MTA's log, by spoor-delivery */
    enum delivery_state state;
    int64_t time_us;
    struct slice host;         /* of the MTA, as the log has it */
    struct slice queue_id;
    struct slice first;        /* DELIVERY_COPY: queue id that it had before */
    struct slice recipient;    /* normal form */
    struct slice original;     /* normal form; to whom it was submitted, when an alias changed that */
    struct slice relay;        /* name of the next server */
    struct slice relay_address;
    struct slice status;       /* RFC 3463 */
    struct slice text;         /* the next server's words; cut to DELIVERY_TEXT_MAX */
    struct slice goes_on_as;   /* queue id that the next hop gave */
    struct slice assigned_id;  /* Message-ID that the next hop gave, no brackets */
    bool tls;                  /* known to have gone by TLS */
};
enum { DELIVERY_TEXT_MAX = 1000 };

struct record_refusal { /* campaign mail that did not go to somebody, by spoor-stamp; one record a mail and person */
    uint64_t message;        /* 0: nobody got it, or it is not tracked */
    uint32_t recipient;      /* key; 0: not told apart */
    int64_t time_us;
    struct slice campaign;
    struct slice address;    /* who did not get it, normal form */
    struct slice reason;     /* a word of spoor.stop_reason */
    struct slice owner;
    struct slice sender;
    struct slice subject;    /* empty where the mail is not tracked */
    struct slice message_id; /* that the mail came with, no brackets */
    uint8_t digest[32];      /* tells the same mail when it is tried again, as in record_answer */
    struct slice host;
    struct slice queue_id;   /* of the first attempt */
};

/* Each adds the payload to OUT; false when OUT has failed or a text is too long for its length field. */
bool record_message_encode(const struct record_message *message, struct buf *out);
bool record_hit_encode(const struct record_hit *hit, struct buf *out);
bool record_answer_encode(const struct record_answer *answer, struct buf *out);
bool record_stop_encode(const struct record_stop *stop, struct buf *out);
bool record_unsubscribe_encode(const struct record_unsubscribe *unsubscribe, struct buf *out);
bool record_copy_encode(const struct record_copy *copy, struct buf *out);
bool record_delivery_encode(const struct record_delivery *delivery, struct buf *out);
bool record_refusal_encode(const struct record_refusal *refusal, struct buf *out);

/* False for bytes that are no such record; nothing to free then. */
bool record_message_decode(struct slice payload, struct record_message *message);
void record_message_free(struct record_message *message);
/* Of that recipient; 0 when the mail does not name it. */
uint32_t record_message_key(const struct record_message *message, struct slice address);
bool record_hit_decode(struct slice payload, struct record_hit *hit);
bool record_answer_decode(struct slice payload, struct record_answer *answer);
bool record_stop_decode(struct slice payload, struct record_stop *stop);
bool record_unsubscribe_decode(struct slice payload, struct record_unsubscribe *unsubscribe);
bool record_copy_decode(struct slice payload, struct record_copy *copy);
bool record_delivery_decode(struct slice payload, struct record_delivery *delivery);
bool record_refusal_decode(struct slice payload, struct record_refusal *refusal);

/* When it happened, without decoding the rest; false for a kind that is not known and a payload that is too short. */
bool record_time(uint8_t kind, struct slice payload, int64_t *time_us);

/*
 * The mail it belongs to, 0 where that is none, without decoding the rest; false for a kind that names none by its number, or
 * is not known, and for a payload that is too short.
 */
bool record_message_of(uint8_t kind, struct slice payload, uint64_t *message);

const char *hit_kind_name(enum hit_kind kind);
const char *hit_verdict_name(enum hit_verdict verdict);
const char *tracking_level_name(enum tracking_level level);
const char *unsubscribe_way_name(enum unsubscribe_way way);
const char *delivery_state_name(enum delivery_state state);
const char *answer_class_name(enum answer_class class_);
const char *answer_rung_name(enum answer_rung rung);
const char *answer_confidence_name(enum answer_confidence confidence);
const char *answer_answerer_name(enum answer_answerer answerer);

#endif
