/* SPDX-License-Identifier: BSD-2-Clause */
/* store_outbox - see store_outbox.h */

#include "common/store_outbox.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24 };

const struct db_statement store_fill_outbox = {
    "fill_outbox", "select spoor.fill_outbox($1, $3, $2, $4, $5, $6, $7, $8)", 2 + STORE_OUTBOX_COLUMNS};

static const struct db_statement claim_outbox = {
    "claim_outbox",
    "select number, key, attempts, item from spoor.claim_outbox($1, $2, $3::bigint * interval '1 millisecond', $4, $5, $6)", 6};

static const struct db_statement next_outbox = {"next_outbox", "select spoor.next_outbox($1)", 1};

static const struct db_statement end_outbox = {"end_outbox", "select spoor.end_outbox($1, $2, $3, $4, $5)", 5};

static const struct db_statement enter_sink = {"enter_sink", "select spoor.enter_sink($1, $2, $3, $4)", 4};

static const struct db_statement route_early = {"route_early", "select spoor.route_early()", 0};

static const struct db_statement prune_outbox = {
    "prune_outbox", "select spoor.prune_outbox($1::bigint * interval '1 second')", 1};

static const struct db_statement add_digests = {"add_digests", "select spoor.add_digests($1)", 1};

static const struct db_statement outbox_lag = {
    "outbox_lag", "select sink, type, due, waiting, dead, lag_s, trouble from spoor.outbox_lag()", 0};

static const struct db_statement wants_reply_text = {
    "wants_reply_text", "select spoor.wants_reply_text()::integer", 0};

static const char *number(char text[NUMBER_TEXT], int64_t value)
{
    snprintf(text, NUMBER_TEXT, "%lld", (long long)value);
    return text;
}

static const char *truth(bool value)
{
    return value ? "true" : "false";
}

static enum store_answer tell(struct db *db, const struct db_statement *statement, const char *const *values, int deadline_ms)
{
    struct db_result *result = db_ask(db, statement, values, deadline_ms);

    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_claim_outbox(struct db *db, const struct store_claim *claim,
                                     void (*each)(void *arg, const struct store_outbox_row *row), void *arg, int deadline_ms)
{
    char text[2][NUMBER_TEXT];
    const char *const values[] = {claim->sink, claim->lease, number(text[0], claim->lease_ms),
                                  number(text[1], (int64_t)claim->most), truth(claim->reply_text), truth(claim->by_choice)};
    struct db_result *result = db_ask(db, &claim_outbox, values, deadline_ms);
    enum store_answer answer;

    if (!result)
        return STORE_AWAY;
    for (size_t at = 0; at < db_rows(result); at++) {
        struct store_outbox_row row = {.number = db_integer(result, at, 0), .key = db_value(result, at, 1),
                                       .attempts = db_integer(result, at, 2), .item = db_value(result, at, 3)};

        each(arg, &row);
    }
    answer = db_rows(result) ? STORE_YES : STORE_NO;
    db_result_free(result);
    return answer;
}

enum store_answer store_next_outbox(struct db *db, const char *sink, int64_t *ms, int deadline_ms)
{
    struct db_result *result = db_ask(db, &next_outbox, (const char *const[]){sink}, deadline_ms);

    if (!result)
        return STORE_AWAY;
    *ms = db_value(result, 0, 0) ? db_integer(result, 0, 0) : INT64_MAX;
    db_result_free(result);
    return STORE_YES;
}

enum store_answer store_end_outbox(struct db *db, const char *lease, struct row_set *outcomes, int deadline_ms)
{
    const char *values[1 + STORE_OUTCOME_COLUMNS] = {lease};

    if (!row_set_values(outcomes, values + 1))
        return STORE_NO;
    return tell(db, &end_outbox, values, deadline_ms);
}

enum store_answer store_listen_outbox(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_outbox", deadline_ms) ? STORE_YES : STORE_AWAY;
}

enum store_answer store_enter_sink(struct db *db, const char *name, const char *type, bool reply_text, const char *trouble,
                                   int deadline_ms)
{
    return tell(db, &enter_sink, (const char *const[]){name, type, truth(reply_text), trouble}, deadline_ms);
}

enum store_answer store_tend_outbox(struct db *db, const char *sink, bool digests, int64_t keep_s, int deadline_ms)
{
    char text[NUMBER_TEXT];
    enum store_answer answer = tell(db, &route_early, NULL, deadline_ms);

    if (answer == STORE_YES && digests)
        answer = tell(db, &add_digests, (const char *const[]){sink}, deadline_ms);
    if (answer == STORE_YES)
        answer = tell(db, &prune_outbox, (const char *const[]){number(text, keep_s)}, deadline_ms);
    return answer;
}

enum store_answer store_outbox_lag(struct db *db, void (*each)(void *arg, const struct store_lag *lag), void *arg, int deadline_ms)
{
    struct db_result *result = db_ask(db, &outbox_lag, NULL, deadline_ms);

    if (!result)
        return STORE_AWAY;
    for (size_t at = 0; at < db_rows(result); at++) {
        struct store_lag lag = {.sink = db_value(result, at, 0),         .type = db_value(result, at, 1),
                                .due = db_integer(result, at, 2),        .waiting = db_integer(result, at, 3),
                                .dead = db_integer(result, at, 4),       .lag_s = db_integer(result, at, 5),
                                .trouble = db_value(result, at, 6)};

        each(arg, &lag);
    }
    db_result_free(result);
    return STORE_YES;
}

enum store_answer store_wants_reply_text(struct db *db, int deadline_ms)
{
    struct db_result *result = db_ask(db, &wants_reply_text, NULL, deadline_ms);
    enum store_answer answer = STORE_AWAY;

    if (result)
        answer = db_integer(result, 0, 0) ? STORE_YES : STORE_NO;
    db_result_free(result);
    return answer;
}
