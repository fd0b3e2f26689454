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
#include "common/store_answer.h"
#include "common/store_campaign.h"
#include "common/store_delivery.h"
#include "common/store_document_event.h"
#include "common/store_message.h"
#include "common/utf8.h"

#include <stdio.h>
#include <string.h>

enum { TIMES_MAX = 100, STATEMENT_MAX = 300, REJECTED_REASON_MAX = 1000, CLEANED_MAX = 4 * REJECTED_REASON_MAX };

static const struct db_statement read_clock = {
    "read_clock",
    "select (extract(epoch from now()) * 1000000)::bigint, (extract(epoch from now() - events) * 1000000)::bigint,"
    " exists (select number from spoor.sink_rule)::integer from spoor.retention", 0};

static const struct db_statement move_watermark = {
    "move_watermark",
    "select case when spoor.join_load($7) then spoor.move_progress($1, $2, $3, $4, $5, $6)::integer else -1 end", 7};

/* A loader that dies in a transaction must not keep the spool's row from the next one. */
static const char begin[] = "begin; set local idle_in_transaction_session_timeout = '30s'";

static const struct db_statement insert_rejected = {
    "insert_rejected",
    "insert into spoor.rejected (spool, record, kind, version, reason, payload)"
    " values ($1, $2, $3, $4, $5, decode($6, 'hex'))", 6};

int loading_left_ms(const struct loading *loading)
{
    int64_t left = loading->until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

static struct db_result *ask(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    return db_ask(loading->db, statement, values, loading_left_ms(loading));
}

bool loading_tell(struct loading *loading, const struct db_statement *statement, const char *const *values)
{
    struct db_result *result = ask(loading, statement, values);

    db_result_free(result);
    return result != NULL;
}

/* Of a batch, one row at least. */
static struct db_result *ask_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    const char *values[ROW_COLUMNS_MAX];
    struct db_result *result;

    loading->refusable = true;
    result = row_set_values(rows, values) ? ask(loading, statement, values) : NULL;
    loading->refusable = !result;
    return result;
}

bool loading_tell_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    struct db_result *result;

    if (rows->rows == 0)
        return true;
    result = ask_rows(loading, statement, rows);
    db_result_free(result);
    return result != NULL;
}

const char *loading_number(char text[LOADING_NUMBER_TEXT], int64_t value)
{
    snprintf(text, LOADING_NUMBER_TEXT, "%lld", (long long)value);
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

    buf_add_str(why, db_error(loading->db));
    db_execute(loading->db, "rollback", loading_left_ms(loading));
    return refusal ? STORE_NO : STORE_AWAY;
}

/* the steps */

static bool ask_clock(struct loading *loading)
{
    struct db_result *result = ask(loading, &read_clock, NULL);

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
    char text[7][LOADING_NUMBER_TEXT];
    int64_t moved;
    const char *const values[] = {
        loading_number(text[0], loading->progress->spool), loading_number(text[1], (int64_t)loading->progress->position),
        loading_number(text[2], (int64_t)last->end),       loading_number(text[3], (int64_t)last->position),
        loading_number(text[4], last->checksum),           loading_number(text[5], (int64_t)loading->cargo.dropped),
        loading_number(text[6], loading->progress->forgotten)};
    struct db_result *result = ask(loading, &move_watermark, values);

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
    struct store_event *event = cargo_event_of(&loading->cargo, (uint64_t)record);

    if (event)
        event->is_new = true;
}

/* Rows that come once however often they are told of: only those that are new have an event. */
static bool insert_once(struct loading *loading, const struct db_statement *statement, struct row_set *rows)
{
    struct db_result *result;

    if (rows->rows == 0)
        return true;
    result = ask_rows(loading, statement, rows);
    if (!result)
        return false;
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
    struct db_result *result;

    if (loading->cargo.unsubscribe.rows == 0)
        return true;
    result = ask_rows(loading, &store_take_unsubscribes, &loading->cargo.unsubscribe);
    if (!result)
        return false;
    for (size_t row = 0; row < db_rows(result); row++)
        if (is_news(db_value(result, row, 1)))
            mark_new(loading, db_integer(result, row, 0));
    db_result_free(result);
    return true;
}

/* What viewers told; of which beacons something is news for the feed, the database says. */
static bool take_beacons(struct loading *loading)
{
    struct db_result *result;
    bool room = true;

    if (loading->cargo.beacon.rows == 0)
        return true;
    result = ask_rows(loading, &store_take_beacons, &loading->cargo.beacon);
    if (!result)
        return false;
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

static bool close_batch(struct loading *loading)
{
    char times[TIMES_MAX] = "'infinity', '-infinity'", sql[STATEMENT_MAX];

    if (loading->first_us <= loading->last_us)
        snprintf(times, sizeof times, "spoor.from_microseconds(%lld), spoor.from_microseconds(%lld)",
                 (long long)loading->first_us, (long long)loading->last_us);
    snprintf(sql, sizeof sql, "select spoor.add_batch(%d::smallint, %lld, %lld, %zu, %s); commit", loading->progress->spool,
             (long long)loading->record->position, (long long)last_event(loading), loading->records, times);
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
           && loading_tell_rows(loading, &store_insert_messages, &loading->cargo.message)
           && loading_tell_rows(loading, &store_insert_recipients, &loading->cargo.recipient)
           && loading_tell_rows(loading, &store_insert_links, &loading->cargo.link)
           && loading_tell_rows(loading, &store_stop_by_answers, &loading->cargo.stop) && take_unsubscribes(loading)
           && insert_once(loading, &store_insert_answers, &loading->cargo.answer)
           && insert_once(loading, &store_insert_refusals, &loading->cargo.refusal)
           && loading_tell_rows(loading, &store_take_document_events, &loading->cargo.document) && take_beacons(loading)
           && loading_tell_rows(loading, &store_insert_clocks, &loading->cargo.clock)
           && loading_tell_rows(loading, &store_learn_networks, &loading->cargo.network) && loading_insert_events(loading)
           && loading_fill_outbox(loading) && insert_new_deliveries(loading) /* that may add batches */ && close_batch(loading);
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
    char text[4][LOADING_NUMBER_TEXT];
    struct buf payload;
    struct buf why;
    bool done = false;

    buf_init(&why, CLEANED_MAX);
    buf_init(&payload, 2 * SPOOL_RECORD_MAX);
    if (rejection_texts(record, reason, &why, &payload))
        done = loading_tell(loading, &insert_rejected,
                            (const char *const[]){loading_number(text[0], loading->progress->spool),
                                                  loading_number(text[1], (int64_t)record->position),
                                                  loading_number(text[2], record->kind),
                                                  loading_number(text[3], record->version), buf_text(&why), buf_text(&payload)});
    buf_free(&why);
    buf_free(&payload);
    return done;
}

enum store_answer store_reject(struct db *db, struct store_progress *progress, const struct spool_record *record,
                               const char *reason, bool *overtaken, struct buf *why, int deadline_ms)
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
    give_up(&loading, why);
    return STORE_AWAY;
}
