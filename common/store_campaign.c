/* SPDX-License-Identifier: BSD-2-Clause */
/* store_campaign - see store_campaign.h */

#include "common/store_campaign.h"

#include "common/store.h"
#include "common/store_cargo.h"

#include <inttypes.h>
#include <stdio.h>

enum { MESSAGE_COLUMNS = 15, RECIPIENT_COLUMNS = 4, STOP_COLUMNS = 8, UNSUBSCRIBE_COLUMNS = 8,
       PARAMETERS = MESSAGE_COLUMNS + RECIPIENT_COLUMNS + 2 };
enum { NOTE_NOTHING, NOTE_DIGEST, NOTE_NAME }; /* of a recipient, as spoor.admit() takes it */

/* The mail comes as rows do from a spool, one row long, so that both are read alike. */
static const struct db_statement admit = {
    "admit",
    "select b.address, b.reason, (extract(epoch from b.since) * 1000000)::bigint,"
    "  (extract(epoch from b.until) * 1000000)::bigint"
    " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::integer[])"
    "  as m (id, at, size, level, pixels, owner, sender, envelope_sender, subject, sent_message_id, client_message_id,"
    "  campaign, host, queue_id, sent_to)"
    " cross join lateral spoor.admit(nullif(m.id, 0), spoor.from_microseconds(m.at), m.size, m.level::spoor.tracking_level,"
    "  m.pixels, m.owner, m.sender, m.envelope_sender, m.subject, m.sent_message_id, m.client_message_id, m.campaign, m.host,"
    "  m.queue_id, m.sent_to, $16::text[], $17::integer[], $18::integer[]::boolean[], $19::integer[], $20::boolean,"
    "  $21::bigint * interval '1 second') b", PARAMETERS};

const struct db_statement store_stop_by_answers = {
    "stop_by_answers",
    "select spoor.stop_by_answer(message, address, key, reason::spoor.stop_reason, others <> 0,"
    "  spoor.from_microseconds(at), spoor.from_microseconds(nullif(until, 0)), decode(digest, 'hex'))"
    " from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::bigint[], $7::bigint[],"
    "  $8::text[]) as row (message, address, key, reason, others, at, until, digest)", STOP_COLUMNS};

const struct db_statement store_take_unsubscribes = {
    "take_unsubscribes",
    "select record, spoor.take_unsubscribe(message, address, key, way::spoor.unsubscribe_way, everywhere <> 0,"
    "  spoor.from_microseconds(at), nullif(spool, 0::smallint), record)"
    " from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[], $5::smallint[], $6::bigint[], $7::smallint[],"
    "  $8::bigint[]) as row (message, address, key, way, everywhere, at, spool, record)", UNSUBSCRIBE_COLUMNS};

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

    row_set_init(&mail, MESSAGE_COLUMNS);
    row_set_init(&recipients, RECIPIENT_COLUMNS);
    cargo_message_row(&mail, message);
    add_recipients(&recipients, message, reached);
    values[PARAMETERS - 2] = by_domain ? "t" : "f";
    values[PARAMETERS - 1] = pause_max;
    snprintf(pause_max, sizeof pause_max, "%" PRId64, pause_max_s);
    if (row_set_values(&mail, values) && row_set_values(&recipients, values + MESSAGE_COLUMNS))
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

    row_set_init(&row, STOP_COLUMNS);
    cargo_stop_row(&row, stop);
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

    row_set_init(&row, UNSUBSCRIBE_COLUMNS);
    cargo_unsubscribe_row(&row, unsubscribe, 0, 0);
    if (row_set_values(&row, values))
        result = db_ask(db, &store_take_unsubscribes, values, deadline_ms);
    if (result)
        answer = strcmp(db_value(result, 0, 1), "no_recipient") == 0 ? STORE_NO : STORE_YES;
    db_result_free(result);
    row_set_free(&row);
    return answer;
}
