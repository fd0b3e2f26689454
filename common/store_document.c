/* SPDX-License-Identifier: BSD-2-Clause */
/* store_document - see store_document.h */

#include "common/store_document.h"

#include "common/clock.h"
#include "common/copy_stream.h"
#include "common/digest.h"
#include "common/hex.h"
#include "common/row_set.h"

#include <inttypes.h>
#include <stdio.h>

enum { CHUNKS_AT_ONCE = 8 /* a file is not held twice for its COPY */, NUMBER_TEXT = 24, ROLLBACK_MS = 200 };

static const char begin[] = "begin; set local idle_in_transaction_session_timeout = '30s'";
static const char copy_chunks[] = "copy spoor.document_chunk (document, number, bytes) from stdin (format binary)";

static const struct db_statement know_document = {
    "know_document", "select document, is_new from spoor.store_document(decode($1, 'hex'), $2, $3)", 3};

static const struct db_statement add_content = {"add_content", "select spoor.add_content()", 0};

static const struct db_statement add_attachment = {
    "add_attachment",
    "insert into spoor.attachment (message, number, document, file_name, content_type, bytes)"
    " values ($1, $2, $3, $4, $5, $6)", 6};

static const struct db_statement carry_documents = {
    "carry_documents",
    "select carried from spoor.carry_documents($1, $2, $3::smallint[], $4::bigint[], $5::smallint[]) carried", 5};

static const struct db_statement list_content = {
    "list_content",
    "select c.id, a.document, a.bytes, a.file_name, to_char(c.added_at, 'YYYY-MM-DD'), d.state"
    " from spoor.content c join spoor.attachment a on a.message = c.id and a.number = 1"
    " join spoor.document d on d.id = a.document where c.removed_at is null order by c.id", 0};

static const struct db_statement remove_content = {
    "remove_content", "update spoor.content set removed_at = now() where id = $1 and removed_at is null returning id", 1};

static const char *number_text(uint64_t number, char text[NUMBER_TEXT])
{
    snprintf(text, NUMBER_TEXT, "%" PRIu64, number);
    return text;
}

static bool send_chunks(struct db *db, const struct store_file *file, int64_t until_ms)
{
    struct slice rest = file->bytes;
    struct buf rows;
    int32_t number = 0;
    bool sent = true;

    buf_init(&rows, (size_t)CHUNKS_AT_ONCE * (STORE_CHUNK_BYTES + 64) + 64);
    while (sent && rest.len) {
        buf_reset(&rows);
        copy_begin(&rows);
        for (int n = 0; n < CHUNKS_AT_ONCE && rest.len; n++) {
            size_t len = rest.len < STORE_CHUNK_BYTES ? rest.len : STORE_CHUNK_BYTES;

            copy_row(&rows, 3);
            copy_int64(&rows, (int64_t)file->document);
            copy_int32(&rows, number++);
            copy_bytes(&rows, slice_of(rest.p, len));
            rest = slice_from(rest, len);
        }
        copy_end(&rows);
        sent = !rows.failed && db_copy(db, copy_chunks, buf_slice(&rows), NULL, clock_left_ms(until_ms));
    }
    buf_free(&rows);
    return sent;
}

/* The document's number; its chunks follow when it is new. */
static bool send_document(struct db *db, struct store_file *file, int64_t until_ms)
{
    char hex[2 * 32 + 1], bytes[NUMBER_TEXT];
    struct db_result *result;
    uint8_t digest[32];
    bool is_new;

    if (!digest_sha256(&file->bytes, 1, digest))
        return false;
    hex_write(digest, sizeof digest, hex);
    result = db_ask(db, &know_document, (const char *const[]){hex, file->type, number_text(file->bytes.len, bytes)},
                    clock_left_ms(until_ms));
    if (!result)
        return false;
    file->document = (uint64_t)db_integer(result, 0, 0);
    is_new = *db_value(result, 0, 1) == 't';
    db_result_free(result);
    return !is_new || send_chunks(db, file, until_ms);
}

static bool take_number(struct db *db, struct store_file *file, int64_t until_ms)
{
    struct db_result *result = file->message ? NULL : db_ask(db, &add_content, NULL, clock_left_ms(until_ms));

    if (result)
        file->message = (uint64_t)db_integer(result, 0, 0);
    db_result_free(result);
    return file->message > 0;
}

static bool send_attachment(struct db *db, const struct store_file *file, int64_t until_ms)
{
    char message[NUMBER_TEXT], number[NUMBER_TEXT], document[NUMBER_TEXT], bytes[NUMBER_TEXT];
    const char *const values[] = {
        number_text(file->message, message), number_text(file->number, number), number_text(file->document, document),
        file->name, file->content_type, number_text(file->bytes.len, bytes)};
    struct db_result *result = db_ask(db, &add_attachment, values, clock_left_ms(until_ms));

    db_result_free(result);
    return result != NULL;
}

/* The rollback would hide the error, so that is read first. The connection must not go back to others in a transaction. */
static enum store_answer give_up(struct db *db, struct buf *why)
{
    enum store_answer answer = *db_sqlstate(db) ? STORE_NO : STORE_AWAY;

    buf_add_str(why, db_error(db));
    if (db_stands(db))
        db_execute(db, "rollback", ROLLBACK_MS);
    return answer;
}

enum store_answer store_document(struct db *db, struct store_file *file, struct buf *why, int deadline_ms)
{
    int64_t until_ms = clock_monotonic_ms() + deadline_ms;

    if (db_execute(db, begin, deadline_ms) && send_document(db, file, until_ms) && take_number(db, file, until_ms) &&
        send_attachment(db, file, until_ms) && db_execute(db, "commit", clock_left_ms(until_ms)))
        return STORE_YES;
    return give_up(db, why);
}

static bool list_carried(const struct store_carried *carried, size_t count, struct row_set *rows)
{
    row_set_init(rows, 3);
    for (size_t at = 0; at < count; at++) {
        row_set_integer(rows, carried[at].number);
        row_set_integer(rows, (int64_t)carried[at].from_message);
        row_set_integer(rows, carried[at].from_number);
    }
    return count > 0;
}

static bool is_among(const struct db_result *result, unsigned number)
{
    for (size_t row = 0; row < db_rows(result); row++)
        if (db_integer(result, row, 0) == (int64_t)number)
            return true;
    return false;
}

enum store_answer store_carry_documents(struct db *db, uint64_t message, struct slice owner, struct store_carried *carried,
                                        size_t count, int deadline_ms)
{
    const char *values[2 + ROW_COLUMNS_MAX];
    struct db_result *result = NULL;
    char text[NUMBER_TEXT];
    struct row_set rows;
    struct buf whose;

    buf_init(&whose, owner.len + 1);
    buf_add_slice(&whose, owner);
    values[0] = number_text(message, text);
    values[1] = buf_text(&whose);
    if (!whose.failed && list_carried(carried, count, &rows) && row_set_values(&rows, values + 2))
        result = db_ask(db, &carry_documents, values, deadline_ms);
    buf_free(&whose);
    row_set_free(&rows);
    for (size_t at = 0; at < count; at++)
        if (!result || !is_among(result, carried[at].number))
            carried[at].number = 0;
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_content_list(struct db *db, void (*each)(void *arg, const struct store_content *content), void *arg,
                                     int deadline_ms)
{
    struct db_result *result = db_ask(db, &list_content, NULL, deadline_ms);

    for (size_t row = 0; result && row < db_rows(result); row++) {
        struct store_content content = {
            .number = (uint64_t)db_integer(result, row, 0),
            .document = (uint64_t)db_integer(result, row, 1),
            .bytes = (uint64_t)db_integer(result, row, 2),
            .name = db_value(result, row, 3),
            .added_at = db_value(result, row, 4),
            .state = db_value(result, row, 5),
        };

        each(arg, &content);
    }
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_content_remove(struct db *db, uint64_t number, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result =
        db_ask(db, &remove_content, (const char *const[]){number_text(number, text)}, deadline_ms);
    enum store_answer answer = !result ? STORE_AWAY : db_rows(result) ? STORE_YES : STORE_NO;

    db_result_free(result);
    return answer;
}
