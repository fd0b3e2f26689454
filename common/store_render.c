/* SPDX-License-Identifier: BSD-2-Clause */
/* store_render - see store_render.h */

#include "common/store_render.h"

#include "common/hex.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24, HEX_MOST = 64 * 1024 * 1024 };

/* A lease that has run out is of somebody who died or lost the database. */
static const struct db_statement claim_job = {
    "claim_job",
    "update spoor.document set attempts = attempts + 1, locked_by = $1, locked_until = now() + make_interval(secs => $2::integer)"
    " where id = (select id from spoor.document where state = 'pending' and not_before <= now()"
    "  and (locked_until is null or locked_until < now()) order by id limit 1 for update skip locked)"
    " returning id, file_type, bytes, attempts", 2};

#define HELD " where id = $3::bigint and locked_by = $1 and state = 'pending'"
#define LEASED "update spoor.document set locked_until = now() + make_interval(secs => $2::integer)" HELD " returning id"

static const struct db_statement keep_job = {"keep_job", LEASED, 3};

static const struct db_statement read_chunk = {
    "read_chunk", "select bytes from spoor.document_chunk where document = $1 and number = $2", 2};

static const struct db_statement add_page = {
    "add_page",
    "with held as (" LEASED ")"
    " insert into spoor.page (document, number, width, height, image, text)"
    " select id, $4, $5, $6, decode($7, 'hex'), $8 from held"
    " on conflict (document, number) do update set width = excluded.width, height = excluded.height, image = excluded.image,"
    "  image_type = excluded.image_type, text = excluded.text returning document", 8};

static const struct db_statement finish_job = {
    "finish_job",
    "with held as (update spoor.document set state = $4::spoor.document_state, reason = $5, pages = nullif($6::integer, 0),"
    "  ready_at = case when $4 = 'ready' then now() end, locked_by = null, locked_until = null"
    "  where id = $3::bigint and locked_by = $1 and state = 'pending' and $2::integer is not null returning id),"
    " gone as (delete from spoor.page where document in (select id from held) and number > $6::integer)"
    " select id from held", 6};

static const struct db_statement put_off_job = {
    "put_off_job",
    "update spoor.document set reason = $4, not_before = now() + make_interval(secs => $5::integer), locked_by = null,"
    "  locked_until = null where id = $3::bigint and locked_by = $1 and state = 'pending' and $2::integer is not null returning id", 5};

static const struct db_statement give_back_job = {
    "give_back_job",
    "update spoor.document set attempts = attempts - 1, locked_by = null, locked_until = null"
    " where id = $3::bigint and locked_by = $1 and state = 'pending' and $2::integer is not null returning id", 3};

enum { HELD_VALUES = 3, VALUES_MOST = 8 };

/* What each statement about a held job begins with: who, for how long, which. */
struct held {
    char lease[NUMBER_TEXT];
    char document[NUMBER_TEXT];
    const char *values[VALUES_MOST];
};

static void held_init(struct held *held, const struct store_holder *holder, int64_t document)
{
    snprintf(held->lease, sizeof held->lease, "%d", holder->lease_s);
    snprintf(held->document, sizeof held->document, "%lld", (long long)document);
    held->values[0] = holder->name;
    held->values[1] = held->lease;
    held->values[2] = held->document;
}

/* YES when a row came back. */
static enum store_answer any_row(struct db *db, const struct db_statement *statement, const char *const *values, int deadline_ms)
{
    struct db_result *result = db_ask(db, statement, values, deadline_ms);
    bool any;

    if (!result)
        return STORE_AWAY;
    any = db_rows(result) > 0;
    db_result_free(result);
    return any ? STORE_YES : STORE_NO;
}

enum store_answer store_listen_jobs(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_render", deadline_ms) ? STORE_YES : STORE_AWAY;
}

enum store_answer store_claim_job(struct db *db, const struct store_holder *holder, struct store_job *job, int deadline_ms)
{
    char lease[NUMBER_TEXT];
    struct db_result *result;
    bool any;

    snprintf(lease, sizeof lease, "%d", holder->lease_s);
    result = db_ask(db, &claim_job, (const char *const[]){holder->name, lease}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    any = db_rows(result) > 0;
    if (any) {
        job->document = db_integer(result, 0, 0);
        snprintf(job->file_type, sizeof job->file_type, "%s", db_value(result, 0, 1));
        job->bytes = db_integer(result, 0, 2);
        job->attempts = (int)db_integer(result, 0, 3);
    }
    db_result_free(result);
    return any ? STORE_YES : STORE_NO;
}

enum store_answer store_keep_job(struct db *db, const struct store_holder *holder, int64_t document, int deadline_ms)
{
    struct held held;

    held_init(&held, holder, document);
    return any_row(db, &keep_job, held.values, deadline_ms);
}

/* PostgreSQL's text of a bytea: \x and two digits a byte. */
static void add_bytea(struct buf *out, const char *text)
{
    struct slice digits = slice_from(slice_str(text), 2);
    char block[4096];
    size_t used = 0;

    for (size_t at = 0; at + 1 < digits.len; at += 2) {
        block[used++] = (char)(ascii_hex_value(digits.p[at]) << 4 | ascii_hex_value(digits.p[at + 1]));
        if (used == sizeof block) {
            buf_add(out, block, used);
            used = 0;
        }
    }
    buf_add(out, block, used);
}

enum store_answer store_read_chunk(struct db *db, int64_t document, int number, struct buf *out, int deadline_ms)
{
    char which[NUMBER_TEXT], piece[NUMBER_TEXT];
    struct db_result *result;
    bool any;

    snprintf(which, sizeof which, "%lld", (long long)document);
    snprintf(piece, sizeof piece, "%d", number);
    result = db_ask(db, &read_chunk, (const char *const[]){which, piece}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    any = db_rows(result) > 0;
    if (any)
        add_bytea(out, db_value(result, 0, 0));
    db_result_free(result);
    return any ? STORE_YES : STORE_NO;
}

enum store_answer store_add_page(struct db *db, const struct store_holder *holder, int64_t document, const struct store_page *page,
                                 int deadline_ms)
{
    char number[3][NUMBER_TEXT];
    enum store_answer answer = STORE_AWAY;
    struct buf image, text;
    struct held held;

    snprintf(number[0], NUMBER_TEXT, "%d", page->number);
    snprintf(number[1], NUMBER_TEXT, "%d", page->width);
    snprintf(number[2], NUMBER_TEXT, "%d", page->height);
    buf_init(&image, HEX_MOST);
    buf_init(&text, HEX_MOST);
    hex_add(&image, (const uint8_t *)page->image.p, page->image.len);
    buf_add_slice(&text, page->text);
    if (!image.failed && !text.failed) {
        held_init(&held, holder, document);
        for (int at = 0; at < 3; at++)
            held.values[HELD_VALUES + at] = number[at];
        held.values[6] = buf_text(&image);
        held.values[7] = buf_text(&text);
        answer = any_row(db, &add_page, held.values, deadline_ms);
    }
    buf_free(&image);
    buf_free(&text);
    return answer;
}

enum store_answer store_finish_job(struct db *db, const struct store_holder *holder, int64_t document, const char *state,
                                   const char *reason, int pages, int deadline_ms)
{
    char number[NUMBER_TEXT];
    struct held held;

    snprintf(number, sizeof number, "%d", pages);
    held_init(&held, holder, document);
    held.values[3] = state;
    held.values[4] = reason;
    held.values[5] = number;
    return any_row(db, &finish_job, held.values, deadline_ms);
}

enum store_answer store_put_off_job(struct db *db, const struct store_holder *holder, int64_t document, const char *reason,
                                    int wait_s, int deadline_ms)
{
    char wait[NUMBER_TEXT];
    struct held held;

    snprintf(wait, sizeof wait, "%d", wait_s);
    held_init(&held, holder, document);
    held.values[3] = reason;
    held.values[4] = wait;
    return any_row(db, &put_off_job, held.values, deadline_ms);
}

enum store_answer store_give_back_job(struct db *db, const struct store_holder *holder, int64_t document, int deadline_ms)
{
    struct held held;

    held_init(&held, holder, document);
    return any_row(db, &give_back_job, held.values, deadline_ms);
}
