/* SPDX-License-Identifier: BSD-2-Clause */
/* store_campaign - see store_campaign.h */

#include "common/store_campaign.h"

#include "common/store.h"
#include "common/store_message.h"

#include <inttypes.h>
#include <stdio.h>

enum { REACHED_COLUMNS = 4, PARAMETERS = STORE_MESSAGE_COLUMNS + REACHED_COLUMNS + 2 };
enum { NOTE_NOTHING, NOTE_DIGEST, NOTE_NAME }; /* of a recipient, as spoor.admit() takes it */

static const struct db_statement nothing = {"nothing", "select", 0};

/* The mail comes as rows do from a spool, one row long, so that both are read alike. */
static const struct db_statement admit = {
    "admit",
    "select b.address, b.reason, (extract(epoch from b.since) * 1000000)::bigint,"
    "  (extract(epoch from b.until) * 1000000)::bigint"
    " from " STORE_MESSAGE_ROWS
    " cross join lateral spoor.admit(nullif(m.id, 0), spoor.from_microseconds(m.at), m.size, m.level::spoor.tracking_level,"
    "  m.pixels, m.owner, m.sender, m.envelope_sender, m.subject, m.sent_message_id, m.client_message_id, m.campaign, m.host,"
    "  m.queue_id, m.sent_to, $16::text[], $17::integer[], $18::integer[]::boolean[], $19::integer[], $20::boolean,"
    "  $21::bigint * interval '1 second') b", PARAMETERS};

const struct db_statement store_stop_by_answers = {
    "stop_by_answers",
    "select spoor.stop_by_answer(message, address, key, reason::spoor.stop_reason, others <> 0,"
    "  spoor.from_microseconds(at), spoor.from_microseconds(nullif(until, 0)), decode(digest, 'hex'))"
    " from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::bigint[], $7::bigint[],"
    "  $8::text[]) as row (message, address, key, reason, others, at, until, digest)", STORE_STOP_COLUMNS};

void store_stop_row(struct row_set *row, const struct record_stop *stop)
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

const struct db_statement store_take_unsubscribes = {
    "take_unsubscribes",
    "select record, spoor.take_unsubscribe(message, address, key, way::spoor.unsubscribe_way, everywhere <> 0,"
    "  spoor.from_microseconds(at), nullif(spool, 0::smallint), record)"
    " from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::bigint[], $7::smallint[],"
    "  $8::bigint[]) as row (message, address, key, way, everywhere, at, spool, record)", STORE_UNSUBSCRIBE_COLUMNS};

void store_unsubscribe_row(struct row_set *row, const struct record_unsubscribe *unsubscribe, int32_t spool,
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

const struct db_statement store_insert_refusals = {
    "insert_refusals",
    "insert into spoor.campaign_refusal (campaign, address, digest, at_time, record, spool, message, reason, owner, sender,"
    "  subject, message_id, host, queue_id)"
    " select campaign, address, decode(digest, 'hex'), spoor.from_microseconds(at), record, spool, nullif(message, 0), reason,"
    "  owner, sender, subject, message_id, host, queue_id"
    " from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[], $7::bigint[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]) as row (campaign, address, digest, at,"
    "  record, spool, message, reason, owner, sender, subject, message_id, host, queue_id)"
    " order by campaign, address, digest, record on conflict (campaign, address, digest) do nothing returning record", STORE_REFUSAL_COLUMNS};

void store_refusal_row(struct row_set *row, const struct record_refusal *refusal, int32_t spool, const struct store_event *event)
{
    row_set_text(row, refusal->campaign);
    row_set_text(row, refusal->address);
    row_set_hex(row, refusal->digest, sizeof refusal->digest);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)refusal->message);
    row_set_text(row, refusal->reason);
    row_set_text_or_null(row, refusal->owner);
    row_set_text_or_null(row, refusal->sender);
    row_set_text_or_null(row, refusal->subject);
    row_set_text_or_null(row, refusal->message_id);
    row_set_text_or_null(row, refusal->host);
    row_set_text_or_null(row, refusal->queue_id);
}

static void add_recipients(struct row_set *rows, const struct record_message *message, const struct store_reached *reached)
{
    for (size_t at = 0; at < message->recipients; at++) {
        row_set_text(rows, message->recipient[at].address);
        row_set_integer(rows, (int32_t)message->recipient[at].key);
        row_set_integer(rows, reached[at].copied);
        row_set_integer(rows, reached[at].off ? NOTE_NOTHING : reached[at].unnamed ? NOTE_DIGEST : NOTE_NAME);
    }
}

static void each_block(const struct db_result *result, void (*blocked)(void *arg, const struct store_block *block), void *arg)
{
    for (size_t row = 0; row < db_rows(result); row++) {
        struct store_block block = {
            .address = db_value(result, row, 0),
            .reason = db_value(result, row, 1),
            .since_us = db_integer(result, row, 2),
            .until_us = db_integer(result, row, 3),
        };

        blocked(arg, &block);
    }
}

enum store_answer store_admit(struct db *db, const struct record_message *message, const struct store_reached *reached,
                              bool by_domain, int64_t pause_max_s, void (*blocked)(void *arg, const struct store_block *block), void *arg,
                              int deadline_ms)
{
    const char *values[PARAMETERS];
    char pause_max[24];
    struct db_result *result = NULL;
    struct row_set mail;
    struct row_set recipients;

    row_set_init(&mail, STORE_MESSAGE_COLUMNS);
    row_set_init(&recipients, REACHED_COLUMNS);
    store_message_row(&mail, message);
    add_recipients(&recipients, message, reached);
    values[PARAMETERS - 2] = by_domain ? "t" : "f";
    values[PARAMETERS - 1] = pause_max;
    snprintf(pause_max, sizeof pause_max, "%" PRId64, pause_max_s);
    if (row_set_values(&mail, values) && row_set_values(&recipients, values + STORE_MESSAGE_COLUMNS))
        result = db_ask(db, &admit, values, deadline_ms);
    if (result)
        each_block(result, blocked, arg);
    row_set_free(&mail);
    row_set_free(&recipients);
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_stop(struct db *db, const struct record_stop *stop, int deadline_ms)
{
    const char *values[ROW_COLUMNS_MAX];
    enum store_answer answer = STORE_AWAY;
    struct db_result *result = NULL;
    struct row_set row;

    row_set_init(&row, STORE_STOP_COLUMNS);
    store_stop_row(&row, stop);
    if (row_set_values(&row, values))
        result = db_ask(db, &store_stop_by_answers, values, deadline_ms);
    if (result)
        answer = strcmp(db_value(result, 0, 0), "stopped") == 0 ? STORE_YES : STORE_NO;
    db_result_free(result);
    row_set_free(&row);
    return answer;
}

enum store_answer store_unsubscribe(struct db *db, const struct record_unsubscribe *unsubscribe, int deadline_ms)
{
    const char *values[ROW_COLUMNS_MAX];
    enum store_answer answer = STORE_AWAY;
    struct db_result *result = NULL;
    struct row_set row;

    row_set_init(&row, STORE_UNSUBSCRIBE_COLUMNS);
    store_unsubscribe_row(&row, unsubscribe, 0, 0);
    if (row_set_values(&row, values))
        result = db_ask(db, &store_take_unsubscribes, values, deadline_ms);
    if (result)
        answer = strcmp(db_value(result, 0, 1), "no_recipient") == 0 ? STORE_NO : STORE_YES;
    db_result_free(result);
    row_set_free(&row);
    return answer;
}

bool store_send_nothing(struct db *db)
{
    return db_send(db, &nothing, NULL);
}

bool store_receive_nothing(struct db *db)
{
    struct db_result *result = db_receive(db, &nothing);

    db_result_free(result);
    return result != NULL;
}

enum store_answer store_found_of(struct db *db, uint64_t message, struct buf *found, int deadline_ms)
{
    static const struct db_statement found_of = {"found_of", "select spoor.found_of($1)", 1};
    char number[24];
    const char *const values[] = {number};
    struct db_result *result;
    const char *text;

    snprintf(number, sizeof number, "%" PRIu64, message);
    result = db_ask(db, &found_of, values, deadline_ms);
    if (!result)
        return STORE_AWAY;
    text = db_value(result, 0, 0);
    if (text)
        buf_add_str(found, text);
    db_result_free(result);
    return found->failed ? STORE_AWAY : text ? STORE_YES : STORE_NO;
}

enum store_answer store_take_found(struct db *first, const char *found, int deadline_ms)
{
    static const struct db_statement take_found = {"take_found", "select spoor.take_found($1::jsonb)", 1};
    struct db_result *result = db_ask(first, &take_found, &found, deadline_ms);

    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}
