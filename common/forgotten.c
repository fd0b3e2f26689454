/* SPDX-License-Identifier: BSD-2-Clause */
/* forgotten - see forgotten.h */

#include "common/forgotten.h"

#include "common/address.h"
#include "common/decimal.h"
#include "common/digest.h"
#include "common/hex.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { SALT_MAX = 64 };

static const char in_place_of_it[] = "[forgotten]";

struct digest {
    uint8_t byte[DIGEST_BYTES];
};

struct forgotten {
    atomic_uint holders;
    uint8_t salt[SALT_MAX];
    size_t salt_bytes;
    int64_t number, epoch;
    struct digest *digest; /* sorted */
    size_t digests;
};

/* --- the list ------------------------------------------------------------------------------------------- */

static bool read_hex(struct slice digits, uint8_t *bytes, size_t most, size_t *count)
{
    *count = digits.len / 2;
    if (digits.len % 2 || *count == 0 || *count > most)
        return false;
    for (size_t at = 0; at < *count; at++) {
        int high = ascii_hex_value(digits.p[2 * at]), low = ascii_hex_value(digits.p[2 * at + 1]);

        if (high < 0 || low < 0)
            return false;
        bytes[at] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool read_number(struct slice digits, int64_t *number)
{
    uint64_t value;

    if (!decimal_read(digits, INT64_MAX, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

static bool read_line(struct forgotten *forgotten, struct slice line)
{
    struct slice name = slice_cut(&line, '\t');
    size_t count;

    if (slice_is(name, "salt"))
        return read_hex(line, forgotten->salt, SALT_MAX, &forgotten->salt_bytes);
    if (slice_is(name, "number"))
        return read_number(line, &forgotten->number);
    if (slice_is(name, "epoch"))
        return read_number(line, &forgotten->epoch);
    return slice_is(name, "digest") && read_hex(line, forgotten->digest[forgotten->digests].byte, DIGEST_BYTES, &count) &&
           count == DIGEST_BYTES && ++forgotten->digests;
}

static int compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST_BYTES);
}

struct forgotten *forgotten_parse(struct slice text)
{
    struct forgotten *forgotten = calloc(1, sizeof *forgotten);
    bool good = forgotten != NULL;

    if (!good)
        return NULL;
    forgotten->holders = 1;
    forgotten->digest = calloc(text.len / DIGEST_BYTES + 1, sizeof *forgotten->digest);
    good = forgotten->digest != NULL;
    while (good && text.len)
        good = read_line(forgotten, slice_cut(&text, '\n'));
    if (good && forgotten->salt_bytes) {
        qsort(forgotten->digest, forgotten->digests, sizeof *forgotten->digest, compare_digests);
        return forgotten;
    }
    forgotten_let_go(forgotten);
    return NULL;
}

struct forgotten *forgotten_hold(struct forgotten *forgotten)
{
    atomic_fetch_add_explicit(&forgotten->holders, 1, memory_order_relaxed);
    return forgotten;
}

void forgotten_let_go(struct forgotten *forgotten)
{
    if (!forgotten || atomic_fetch_sub_explicit(&forgotten->holders, 1, memory_order_acq_rel) > 1)
        return;
    free(forgotten->digest);
    free(forgotten);
}

int64_t forgotten_number(const struct forgotten *forgotten)
{
    return forgotten->number;
}

int64_t forgotten_epoch(const struct forgotten *forgotten)
{
    return forgotten ? forgotten->epoch : 0;
}

size_t forgotten_count(const struct forgotten *forgotten)
{
    return forgotten ? forgotten->digests : 0;
}

static bool has_digest(const struct forgotten *forgotten, const struct digest *digest)
{
    return bsearch(digest, forgotten->digest, forgotten->digests, sizeof *digest, compare_digests) != NULL;
}

bool forgotten_has(const struct forgotten *forgotten, struct slice address)
{
    struct digest digest;

    if (forgotten_count(forgotten) == 0 || !address.len)
        return false;
    const struct slice parts[] = {slice_of((const char *)forgotten->salt, forgotten->salt_bytes), address};

    return digest_sha256(parts, sizeof parts / sizeof *parts, digest.byte) && has_digest(forgotten, &digest);
}

bool forgotten_missing(const struct forgotten *old, const struct forgotten *now, struct buf *array)
{
    bool any = false;

    if (!old || old->salt_bytes != now->salt_bytes || memcmp(old->salt, now->salt, old->salt_bytes) != 0)
        return false;
    for (size_t at = 0; at < old->digests; at++) {
        if (has_digest(now, &old->digest[at]))
            continue;
        buf_add_str(array, any ? ",\"\\\\x" : "{\"\\\\x");
        hex_add(array, old->digest[at].byte, DIGEST_BYTES);
        buf_add_char(array, '"');
        any = true;
    }
    buf_add_str(array, any ? "}" : "");
    return any && !array->failed;
}

/* --- texts ------------------------------------------------------------------------------------------------ */

/* What an address in a text is made of; others are rare, and stand in brackets. */
static bool is_local_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 || c == '.' || c == '_' || c == '+' || c == '-';
}

static bool is_domain_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80 || c == '.' || c == '-';
}

/* Length of the at sign at AT, which URLs write in three bytes; 0: there is none. */
static size_t at_sign(struct slice text, size_t at)
{
    if (text.p[at] == '@')
        return 1;
    return text.p[at] == '%' && text.len - at >= 3 && text.p[at + 1] == '4' && text.p[at + 2] == '0' ? 3 : 0;
}

static bool is_theirs(const struct forgotten *forgotten, struct slice local, struct slice domain)
{
    char normal[ADDRESS_MAX + 1];
    struct buf address;
    bool theirs;

    buf_init(&address, ADDRESS_MAX);
    buf_add_slice(&address, local);
    buf_add_char(&address, '@');
    buf_add_slice(&address, domain);
    theirs = !address.failed && address_normal_text(buf_slice(&address), normal) && forgotten_has(forgotten, slice_str(normal));
    buf_free(&address);
    return theirs;
}

struct place {
    size_t start, end;
};

/* The address around the at sign at AT, of SIGN bytes: what looks like one, or all within brackets. */
static bool find_theirs(const struct forgotten *forgotten, struct slice text, size_t from, size_t at, size_t sign, struct place *place)
{
    size_t start = at, end = at + sign;

    while (start > from && is_local_byte(text.p[start - 1]))
        start--;
    while (end < text.len && is_domain_byte(text.p[end]))
        end++;
    while (end > at + sign && (text.p[end - 1] == '.' || text.p[end - 1] == '-'))
        end--;
    *place = (struct place){start, end};
    if (is_theirs(forgotten, slice_of(text.p + start, at - start), slice_of(text.p + at + sign, end - at - sign)))
        return true;
    while (start > from && text.p[start - 1] != '<' && text.p[start - 1] != ' ')
        start--;
    *place = (struct place){start, end};
    return is_theirs(forgotten, slice_of(text.p + start, at - start), slice_of(text.p + at + sign, end - at - sign));
}

bool forgotten_censor(const struct forgotten *forgotten, struct slice text, struct buf *out)
{
    size_t from = 0;
    struct place place;

    if (forgotten_count(forgotten) == 0)
        return false;
    for (size_t at = 0; at < text.len; at++) {
        size_t sign = at_sign(text, at);

        if (!sign || !find_theirs(forgotten, text, from, at, sign, &place))
            continue;
        buf_add(out, text.p + from, place.start - from);
        buf_add_str(out, in_place_of_it);
        from = place.end;
        at = place.end - 1;
    }
    if (from == 0)
        return false;
    buf_add(out, text.p + from, text.len - from);
    return true;
}

/* --- records ------------------------------------------------------------------------------------------------ */

static bool stands_in(const struct forgotten *forgotten, struct slice text)
{
    struct buf censored;
    bool stands;

    buf_init(&censored, RECORD_BYTES_MAX + sizeof in_place_of_it);
    stands = forgotten_censor(forgotten, text, &censored);
    buf_free(&censored);
    return stands;
}

/* A mail of theirs goes; to others it went as well without them. */
static enum forgotten_effect change_message(const struct forgotten *forgotten, struct slice payload, struct buf *changed)
{
    enum forgotten_effect effect = FORGOTTEN_KEEPS;
    struct record_message message;
    size_t recipients = 0, links = 0;

    if (!record_message_decode(payload, &message))
        return FORGOTTEN_KEEPS;
    if (forgotten_has(forgotten, message.owner) || forgotten_has(forgotten, message.sender) ||
        forgotten_has(forgotten, message.envelope_sender)) {
        record_message_free(&message);
        return FORGOTTEN_DROPS;
    }
    for (size_t at = 0; at < message.recipients; at++)
        if (!forgotten_has(forgotten, message.recipient[at].address))
            message.recipient[recipients++] = message.recipient[at];
    for (size_t at = 0; at < message.links; at++)
        if (!stands_in(forgotten, message.link[at].destination))
            message.link[links++] = message.link[at];
    if (message.recipients && recipients == 0) {
        effect = FORGOTTEN_DROPS;
    } else if (recipients < message.recipients || links < message.links || stands_in(forgotten, message.subject)) {
        message.recipients = recipients;
        message.links = links;
        if (stands_in(forgotten, message.subject))
            message.subject = slice_of(NULL, 0);
        effect = record_message_encode(&message, changed) ? FORGOTTEN_CHANGES : FORGOTTEN_DROPS;
    }
    record_message_free(&message);
    return effect;
}

static enum forgotten_effect change_copy(const struct forgotten *forgotten, struct slice payload, struct buf *changed)
{
    struct record_copy copy;

    if (!record_copy_decode(payload, &copy))
        return FORGOTTEN_KEEPS;
    if (forgotten_has(forgotten, copy.recipient.address))
        return FORGOTTEN_DROPS;
    if (!forgotten_has(forgotten, copy.original))
        return FORGOTTEN_KEEPS;
    copy.original = slice_of(NULL, 0);
    return record_copy_encode(&copy, changed) ? FORGOTTEN_CHANGES : FORGOTTEN_DROPS;
}

static enum forgotten_effect change_delivery(const struct forgotten *forgotten, struct slice payload, struct buf *changed)
{
    struct record_delivery delivery;

    if (!record_delivery_decode(payload, &delivery))
        return FORGOTTEN_KEEPS;
    if (forgotten_has(forgotten, delivery.recipient) || forgotten_has(forgotten, delivery.original))
        return FORGOTTEN_DROPS;
    if (!stands_in(forgotten, delivery.text))
        return FORGOTTEN_KEEPS;
    delivery.text = slice_of(NULL, 0);
    return record_delivery_encode(&delivery, changed) ? FORGOTTEN_CHANGES : FORGOTTEN_DROPS;
}

/* Those that are about one person. */
static bool is_about_them(const struct forgotten *forgotten, uint8_t kind, struct slice payload)
{
    struct record_answer answer;
    struct record_stop stop;
    struct record_unsubscribe unsubscribe;
    struct record_refusal refusal;

    switch (kind) {
    case RECORD_ANSWER:
        return record_answer_decode(payload, &answer) &&
               (forgotten_has(forgotten, answer.from) || forgotten_has(forgotten, answer.envelope_sender) ||
                forgotten_has(forgotten, answer.about));
    case RECORD_STOP:
        return record_stop_decode(payload, &stop) && forgotten_has(forgotten, stop.address);
    case RECORD_UNSUBSCRIBE:
        return record_unsubscribe_decode(payload, &unsubscribe) && forgotten_has(forgotten, unsubscribe.address);
    case RECORD_REFUSED:
        return record_refusal_decode(payload, &refusal) &&
               (forgotten_has(forgotten, refusal.address) || forgotten_has(forgotten, refusal.owner) ||
                forgotten_has(forgotten, refusal.sender));
    default:
        return false;
    }
}

enum forgotten_effect forgotten_record(const struct forgotten *forgotten, uint8_t kind, struct slice record, struct buf *payload)
{
    buf_reset(payload);
    if (forgotten_count(forgotten) == 0)
        return FORGOTTEN_KEEPS;
    switch (kind) {
    case RECORD_MESSAGE:
        return change_message(forgotten, record, payload);
    case RECORD_COPY:
        return change_copy(forgotten, record, payload);
    case RECORD_DELIVERY:
        return change_delivery(forgotten, record, payload);
    default:
        return is_about_them(forgotten, kind, record) ? FORGOTTEN_DROPS : FORGOTTEN_KEEPS;
    }
}
