/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_load - one batch of a spool into the database; see store.h
 *
 * Before the transaction, each on its own: the server's clock, numbers for new words, partitions. Losing
 * the batch after that leaves no harm, and no lock on them is held. In the transaction the watermark comes first, for its
 * row lock makes a second writer wait, and the batch row last, for its lock is the one that all loaders share:
 * it goes out together with the commit, so that no loader dies or dawdles while it holds that.
 */

#include "common/store_load_private.h"

#include "common/clock.h"
#include "common/hex.h"
#include "common/store_campaign.h"
#include "common/store_delivery.h"
#include "common/store_document_view.h"
#include "common/store_outbox.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

enum {
    STATEMENT_MAX = 200,
    REJECTED_REASON_MAX = 1000,
    CLEANED_MAX = 4 * REJECTED_REASON_MAX
};

static const struct db_statement read_clock = {
    "read_clock",
    "select (extract(epoch from now()) * 1000000)::bigint, (extract(epoch from now() - events) * 1000000)::bigint,"
    " exists (select number from spoor.sink_rule)::integer from spoor.retention", 0};

static const struct db_statement move_watermark = {
    "move_watermark",
    "select case when spoor.join_load($7) then spoor.move_progress($1, $2, $3, $4, $5, $6)::integer else -1 end", 7};

static const struct db_statement insert_messages = {
    "insert_messages",
    "insert into spoor.message (id, sent_at, size, level, pixels, owner, sender, envelope_sender, subject,"
    "  sent_message_id, client_message_id, campaign, host, queue_id, sent_to)"
    " select id, spoor.from_microseconds(at), size, level::spoor.tracking_level, pixels, owner, sender, envelope_sender,"
    "  subject, sent_message_id, client_message_id, campaign, host, queue_id, sent_to"
    " from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::integer[])"
    "  as row (id, at, size, level, pixels, owner, sender, envelope_sender, subject, sent_message_id, client_message_id,"
    "  campaign, host, queue_id, sent_to)"
    " on conflict (id) do nothing", 15};

static const struct db_statement insert_recipients = {
    "insert_recipients",
    "insert into spoor.recipient (message, address, key, original)"
    " select * from unnest($1::bigint[], $2::text[], $3::integer[], $4::text[]) on conflict (message, address) do nothing", 4};

static const struct db_statement insert_links = {
    "insert_links",
    "insert into spoor.link (message, number, destination)"
    " select * from unnest($1::bigint[], $2::smallint[], $3::text[]) on conflict (message, number) do nothing", 3};

/* Ordered, so that two loaders with the same answers do not wait for each other. */
static const struct db_statement insert_answers = {
    "insert_answers",
    "insert into spoor.answer (message, digest, at_time, record, spool, recipient, answerer_key, class, rung, confidence,"
    "  answerer, from_address, envelope_sender, subject, message_id, host, queue_id, about, status, hard, effect,"
    "  text)"
    " select message, decode(digest, 'hex'), spoor.from_microseconds(at), record, spool, recipient, answerer_key,"
    "  class::spoor.answer_class, rung::spoor.answer_rung, confidence::spoor.answer_confidence, answerer::spoor.answerer,"
    "  from_address, envelope_sender, subject, message_id, host, queue_id, about, status, hard::boolean, effect::boolean,"
    "  text"
    " from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::smallint[], $6::integer[], $7::integer[],"
    "  $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[],"
    "  $17::text[], $18::text[], $19::text[], $20::text[], $21::integer[], $22::text[]) as row (message, digest, at, record, spool, recipient,"
    "  answerer_key, class, rung, confidence, answerer, from_address, envelope_sender, subject, message_id, host, queue_id,"
    "  about, status, hard, effect, text)"
    " order by message, digest, record on conflict (message, digest) do nothing returning record", 22};

static const struct db_statement insert_refusals = {
    "insert_refusals",
    "insert into spoor.campaign_refusal (campaign, address, digest, at_time, record, spool, message, reason, owner, sender,"
    "  subject, message_id, host, queue_id)"
    " select campaign, address, decode(digest, 'hex'), spoor.from_microseconds(at), record, spool, nullif(message, 0), reason,"
    "  owner, sender, subject, message_id, host, queue_id"
    " from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::smallint[], $7::bigint[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]) as row (campaign, address, digest, at,"
    "  record, spool, message, reason, owner, sender, subject, message_id, host, queue_id)"
    " order by campaign, address, digest, record on conflict (campaign, address, digest) do nothing returning record", 14};

static const struct db_statement insert_clocks = {
    "insert_clocks",
    "insert into spoor.event_clock (spool, record, claimed_at) select spool, record, spoor.from_microseconds(at)"
    " from unnest($1::smallint[], $2::bigint[], $3::bigint[]) as row (spool, record, at)", 3};

static const struct db_statement learn_networks = {
    "learn_networks",
    "select spoor.learn_networks($1::text[], $2::inet[], array(select spoor.from_microseconds(at)"
    " from unnest($3::bigint[]) as row (at)))", 3};

/* A loader that dies in a transaction must not keep the spool's row from the next one. */
static const char begin[] = "begin; set local idle_in_transaction_session_timeout = '30s'";

static const struct db_statement insert_rejected = {
    "insert_rejected",
    "insert into spoor.rejected (spool, record, kind, version, reason, payload)"
    " values ($1, $2, $3, $4, $5, decode($6, 'hex'))", 6};

/* what all steps share */

int loading_left_ms(const struct loading *loading)
{
    int64_t left = loading->until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

static struct db_result *loading_ask(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    return db_ask(loading->db, statement, values, loading_left_ms(loading));
}

bool loading_tell(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    struct db_result *result = loading_ask(loading, statement, values);

    db_result_free(result);
    return result != NULL;
}

bool loading_tell_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    const char *values[ROW_COLUMNS_MAX];
    bool told;

    if (rows->rows == 0)
        return true;
    loading->refusable = true;
    told = row_set_values(rows, values) && loading_tell(loading, statement, values);
    loading->refusable = !told;
    return told;
}

const char *loading_number(char text[NUMBER_TEXT], int64_t value)
{
    snprintf(text, NUMBER_TEXT, "%lld", (long long)value);
    return text;
}

/*
 * Did the data not please the server, so that the same would be refused again? All else passes with time, or once
 * an administrator has mended the database.
 */
static bool is_refusal(const struct loading *loading)
{
    const char *sqlstate = db_sqlstate(loading->db);

    if (!loading->refusable)
        return false;
    return strncmp(sqlstate, "22", 2) == 0 || strncmp(sqlstate, "23", 2) == 0 || strncmp(sqlstate, "54", 2) == 0;
}

/* The rollback would hide the error, so that is read first. */
static enum store_answer give_up(struct loading *loading, struct buf *why)
{
    bool refusal = is_refusal(loading);

    if (why)
        buf_add_str(why, db_error(loading->db));
    db_execute(loading->db, "rollback", loading_left_ms(loading));
    return refusal ? STORE_NO : STORE_AWAY;
}

/* the steps */

static bool ask_clock(struct loading *loading)
{
    struct db_result *result = loading_ask(loading, &read_clock, NULL);

    if (!result)
        return false;
    if (db_rows(result) == 1) {
        loading->cargo.now_us = db_integer(result, 0, 0);
        loading->cargo.keep_from_us = db_integer(result, 0, 1);
        loading->has_rules = db_integer(result, 0, 2) != 0;
    }
    db_result_free(result);
    return loading->cargo.now_us != 0;
}

static bool unpack(struct loading *loading, struct buf *why)
{
    for (size_t at = 0; at < loading->records; at++) {
        if (!cargo_add(&loading->cargo, &loading->record[at])) {
            buf_add_f(why, "the payload is no record of kind %u", loading->record[at].kind);
            return false;
        }
    }
    return true;
}

static bool move(struct loading *loading, bool *overtaken)
{
    const struct spool_record *last = &loading->record[loading->records - 1];
    char text[7][NUMBER_TEXT];
    int64_t moved;
    const char *const values[] = {
        loading_number(text[0], loading->progress->spool), loading_number(text[1], (int64_t)loading->progress->position),
        loading_number(text[2], (int64_t)last->end),       loading_number(text[3], (int64_t)last->position),
        loading_number(text[4], last->checksum),           loading_number(text[5], (int64_t)loading->cargo.dropped),
        loading_number(text[6], loading->progress->forgotten)};
    struct db_result *result = loading_ask(loading, &move_watermark, values);

    if (!result)
        return false;
    moved = db_integer(result, 0, 0);
    db_result_free(result);
    *overtaken = moved == 0;
    loading->progress->outdated = moved < 0;
    return moved > 0;
}

static void mark_new(struct loading *loading, int64_t record)
{
    struct cargo_event *event = cargo_event_of(&loading->cargo, (uint64_t)record);

    if (event)
        event->is_new = true;
}

/* Rows that come once however often they are told of: only those that are new have an event. */
static bool insert_once(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    const char *values[ROW_COLUMNS_MAX];
    struct db_result *result;

    if (rows->rows == 0)
        return true;
    loading->refusable = true;
    result = row_set_values(rows, values) ? loading_ask(loading, statement, values) : NULL;
    if (!result)
        return false;
    loading->refusable = false;
    for (size_t row = 0; row < db_rows(result); row++)
        mark_new(loading, db_integer(result, row, 0));
    db_result_free(result);
    return true;
}

/* What concerns nobody, or is told a second time, is no event. */
static bool is_news(const char *outcome)
{
    return strcmp(outcome, "unsubscribed") == 0 || strcmp(outcome, "unknown") == 0;
}

static bool take_unsubscribes(struct loading *loading)
{
    const char *values[ROW_COLUMNS_MAX];
    struct db_result *result;

    if (loading->cargo.unsubscribe.rows == 0)
        return true;
    loading->refusable = true;
    result = row_set_values(&loading->cargo.unsubscribe, values) ? loading_ask(loading, &store_take_unsubscribes, values) : NULL;
    if (!result)
        return false;
    loading->refusable = false;
    for (size_t row = 0; row < db_rows(result); row++)
        if (is_news(db_value(result, row, 1)))
            mark_new(loading, db_integer(result, row, 0));
    db_result_free(result);
    return true;
}

/* What viewers told; of which beacons something is news for the feed, the database says. */
static bool take_beacons(struct loading *loading)
{
    const char *values[ROW_COLUMNS_MAX];
    struct db_result *result;
    bool room = true;

    if (loading->cargo.beacon.rows == 0)
        return true;
    loading->refusable = true;
    result = row_set_values(&loading->cargo.beacon, values) ? loading_ask(loading, &store_take_beacons, values) : NULL;
    if (!result)
        return false;
    loading->refusable = false;
    for (size_t row = 0; room && row < db_rows(result); row++) {
        int64_t record = db_integer(result, row, 0), place = db_integer(result, row, 1);

        if (place)
            room = cargo_add_read(&loading->cargo, (uint64_t)record, place);
        else
            mark_new(loading, record);
    }
    db_result_free(result);
    return room;
}

/* What waits for longer is the business of who writes such records. */
static bool insert_new_deliveries(struct loading *loading)
{
    static const char just_loaded_s[] = "10";

    return loading->cargo.delivery.rows == 0
           || (loading_tell_rows(loading, &store_insert_deliveries, &loading->cargo.delivery)
               && loading_tell(loading, &store_settle_deliveries, (const char *const[]){just_loaded_s}));
}

/* The pages that a beacon tells of have numbers behind its own, so the batch may end within the last record. */
static uint64_t last_event(const struct loading *loading)
{
    uint64_t last = loading->record[loading->records - 1].position;

    for (size_t at = 0; at < loading->cargo.reads; at++)
        if (loading->cargo.read[at].record > last)
            last = loading->cargo.read[at].record;
    return last;
}

/* Answers of all kinds may be asked for; of hits those that a person may have made. */
static bool may_go_out(const struct cargo_event *event)
{
    if (event->only_news)
        return event->is_new;
    return slice_empty(event->raw) && strchr("hpu", event->verdict) != NULL;
}

static void add_outgoing(struct row_set *row, const struct cargo_event *event)
{
    row_set_integer(row, (int64_t)event->message);
    row_set_integer(row, (int64_t)event->record);
    row_set_text(row, slice_of(&event->kind, 1));
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int32_t)event->recipient);
    row_set_integer(row, (int16_t)event->link);
}

/* What has just been loaded goes into the outbox as far as the rules want it. Without any rule this costs nothing. */
static bool fill_outbox(struct loading *loading)
{
    const struct row_set *mails = &loading->cargo.message;
    const char *values[2 + STORE_OUTBOX_COLUMNS];
    char spool[NUMBER_TEXT];
    struct row_set rows;
    bool done = true;

    if (!loading->has_rules)
        return true;
    row_set_init(&rows, STORE_OUTBOX_COLUMNS);
    for (size_t at = 0; at < loading->cargo.events; at++)
        if (may_go_out(&loading->cargo.event[at]))
            add_outgoing(&rows, &loading->cargo.event[at]);
    for (size_t at = 0; at < loading->cargo.reads; at++)
        if (may_go_out(&loading->cargo.read[at]))
            add_outgoing(&rows, &loading->cargo.read[at]);
    if (rows.rows || mails->rows) {
        values[0] = mails->rows ? buf_text(&mails->column[0]) : "{}"; /* closed when they were inserted */
        values[1] = loading_number(spool, loading->cargo.spool);
        done = row_set_values(&rows, values + 2) && loading_tell(loading, &store_fill_outbox, values);
    }
    row_set_free(&rows);
    return done;
}

static bool close_batch(struct loading *loading)
{
    char sql[STATEMENT_MAX];

    snprintf(sql, sizeof sql, "select spoor.add_batch(%d::smallint, %lld, %lld, %zu); commit", loading->progress->spool,
             (long long)loading->record->position, (long long)last_event(loading), loading->records);
    return db_execute(loading->db, sql, loading_left_ms(loading));
}

static bool prepare(struct loading *loading)
{
    return store_words_number(loading->memory->words, loading->db, &loading->cargo, loading->until_ms)
           && loading_make_partitions(loading);
}

static bool transact(struct loading *loading, bool *overtaken)
{
    return db_execute(loading->db, begin, loading_left_ms(loading)) && move(loading, overtaken)
           && loading_tell_rows(loading, &insert_messages, &loading->cargo.message)
           && loading_tell_rows(loading, &insert_recipients, &loading->cargo.recipient)
           && loading_tell_rows(loading, &insert_links, &loading->cargo.link)
           && loading_tell_rows(loading, &store_stop_by_answers, &loading->cargo.stop) && take_unsubscribes(loading)
           && insert_once(loading, &insert_answers, &loading->cargo.answer)
           && insert_once(loading, &insert_refusals, &loading->cargo.refusal)
           && loading_tell_rows(loading, &store_take_document_events, &loading->cargo.document) && take_beacons(loading)
           && loading_tell_rows(loading, &insert_clocks, &loading->cargo.clock)
           && loading_insert_devices(loading)
           && loading_tell_rows(loading, &learn_networks, &loading->cargo.network) && loading_insert_events(loading)
           && fill_outbox(loading) && insert_new_deliveries(loading) /* that may add batches */ && close_batch(loading);
}

static void advance(struct store_progress *progress, const struct spool_record *last)
{
    progress->position = last->end;
    progress->record = last->position;
    progress->checksum = last->checksum;
}

static enum store_answer load(struct loading *loading, bool *overtaken, struct buf *why)
{
    if (!ask_clock(loading))
        return give_up(loading, why);
    if (!unpack(loading, why))
        return STORE_NO;
    if (prepare(loading) && transact(loading, overtaken)) {
        advance(loading->progress, &loading->record[loading->records - 1]);
        return STORE_YES;
    }
    loading->memory->months = 0; /* somebody may have dropped one */
    if (!*overtaken)
        return give_up(loading, why);
    db_execute(loading->db, "rollback", loading_left_ms(loading));
    buf_add_str(why, "another loader has moved the watermark of this spool");
    return STORE_NO;
}

bool store_knows(uint8_t kind)
{
    return (kind >= RECORD_MESSAGE && kind <= RECORD_DELIVERY) || (kind >= RECORD_COPY && kind <= RECORD_BEACON);
}

enum store_answer store_load(struct db *db, struct store_memory *memory, struct store_progress *progress,
                             const struct spool_record *records, size_t count, bool *overtaken, struct buf *why,
                             int deadline_ms)
{
    struct loading loading = {.db = db, .memory = memory, .progress = progress, .record = records, .records = count,
                              .until_ms = clock_monotonic_ms() + deadline_ms};
    enum store_answer answer = STORE_AWAY;

    *overtaken = false;
    if (count == 0)
        return STORE_YES;
    if (cargo_init(&loading.cargo, count)) {
        loading.cargo.spool = progress->spool;
        answer = load(&loading, overtaken, why);
    } else {
        buf_add_str(why, "no memory for a batch of records");
    }
    cargo_free(&loading.cargo);
    return answer;
}

/* The server's words may quote the record and be cut inside a character. */
static bool rejection_texts(const struct spool_record *record, const char *reason, struct buf *why, struct buf *payload)
{
    struct slice text = slice_str(reason);

    if (text.len > REJECTED_REASON_MAX)
        text.len = REJECTED_REASON_MAX;
    hex_add(payload, (const uint8_t *)record->payload.p, record->payload.len);
    return utf8_clean(text, why) && !payload->failed;
}

static bool insert_rejection(struct loading *loading, const char *reason)
{
    const struct spool_record *record = loading->record;
    char text[4][NUMBER_TEXT];
    struct buf payload;
    struct buf why;
    bool done = false;

    buf_init(&why, CLEANED_MAX);
    buf_init(&payload, 2 * SPOOL_RECORD_MAX);
    if (rejection_texts(record, reason, &why, &payload))
        done = loading_tell(loading, &insert_rejected,
                    (const char *const[]){loading_number(text[0], loading->progress->spool),
                                          loading_number(text[1], (int64_t)record->position), loading_number(text[2], record->kind),
                                          loading_number(text[3], record->version), buf_text(&why), buf_text(&payload)});
    buf_free(&why);
    buf_free(&payload);
    return done;
}

enum store_answer store_reject(struct db *db, struct store_progress *progress, const struct spool_record *record,
                               const char *reason, bool *overtaken, int deadline_ms)
{
    struct loading loading = {.db = db, .progress = progress, .record = record, .records = 1,
                              .until_ms = clock_monotonic_ms() + deadline_ms};

    *overtaken = false;
    if (db_execute(db, begin, loading_left_ms(&loading)) && move(&loading, overtaken) && insert_rejection(&loading, reason)
        && db_execute(db, "commit", loading_left_ms(&loading))) {
        advance(progress, record);
        return STORE_YES;
    }
    if (*overtaken) {
        db_execute(db, "rollback", loading_left_ms(&loading));
        return STORE_NO;
    }
    give_up(&loading, NULL);
    return STORE_AWAY;
}
