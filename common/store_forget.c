/* SPDX-License-Identifier: BSD-2-Clause */
/* store_forget - see store_forget.h */

#include "common/store_forget.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_TEXT = 24 };

static const struct db_statement read_forgotten = {"read_forgotten", "select spoor.forgotten_lines()", 0};
static const struct db_statement remember = {"remember_forgotten", "select spoor.remember_forgotten($1::bytea[], $2)", 2};
static const struct db_statement acknowledge = {"acknowledge_erasure", "select spoor.acknowledge_erasure($1, $2)", 2};
static const struct db_statement is_due = {
    "erasure_due",
    "select (p.forgotten < spoor.forgotten_number())::integer from spoor.spool_progress p where p.spool = $1", 1};

enum store_answer store_listen_forget(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_forget", deadline_ms) ? STORE_YES : STORE_AWAY;
}

enum store_answer store_read_forgotten(struct db *db, struct buf *text, int deadline_ms)
{
    if (!store_add_lines(db, &read_forgotten, text, deadline_ms))
        return STORE_AWAY;
    return text->failed ? STORE_NO : STORE_YES;
}

static enum store_answer tell(struct db *db, const struct db_statement *statement, const char *const *values, int deadline_ms)
{
    struct db_result *result = db_ask(db, statement, values, deadline_ms);

    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_remember_forgotten(struct db *db, const char *digests, int64_t known, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result;
    bool lacked;

    snprintf(text, sizeof text, "%" PRId64, known);
    result = db_ask(db, &remember, (const char *const[]){digests, text}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    lacked = db_integer(result, 0, 0) > 0;
    db_result_free(result);
    return lacked ? STORE_YES : STORE_NO;
}

enum store_answer store_erasure_due(struct db *db, int32_t spool, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result;
    bool due;

    snprintf(text, sizeof text, "%" PRId32, spool);
    result = db_ask(db, &is_due, (const char *const[]){text}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    due = db_rows(result) == 1 && db_integer(result, 0, 0) == 1;
    db_result_free(result);
    return due ? STORE_YES : STORE_NO;
}

enum store_answer store_acknowledge_erasure(struct db *db, int32_t spool, int64_t number, int deadline_ms)
{
    char text[2][NUMBER_TEXT];

    snprintf(text[0], NUMBER_TEXT, "%" PRId32, spool);
    snprintf(text[1], NUMBER_TEXT, "%" PRId64, number);
    return tell(db, &acknowledge, (const char *const[]){text[0], text[1]}, deadline_ms);
}
