/* SPDX-License-Identifier: BSD-2-Clause */
/* store - the questions; loading is in store_load.c. See store.h */

#include "common/store.h"

#include "common/clock.h"
#include "common/hex.h"
#include "common/row_set.h"
#include "common/shard.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    NUMBER_TEXT = 24,
    IDENTITY_TEXT = 2 * SPOOL_IDENTITY_BYTES + 1,
    TEXT_MAX = 64 * 1024,
    FIND_COLUMNS = 2,
    REASON_MAX = 1024,
    START_MS = 400 /* a start takes less than a second */
};

static const struct db_statement read_schema = {"read_schema", "select version, compatible_from from spoor.schema", 0};

static const struct db_statement lease_node = {"lease_node", "select spoor.lease_node($1, $2, $3, $4)", 4};

static const struct db_statement read_shard = {"read_shard", "select number from spoor.shard", 0};

/*
 * A row an id that is known. The newest mail, should a sender use one Message-ID twice; a mail's own id before one that
 * a next hop gave, for any server may name any.
 */
static const struct db_statement find_messages = {
    "find_messages",
    "select q.place, m.id, case when lower(m.sent) <> lower(q.id) then m.sent end"
    " from unnest($1::integer[], $2::text[]) as q (place, id) cross join lateral"
    "  (select f.id, f.sent from"
    "    (select true as own, id, sent_message_id as sent from spoor.message"
    "      where lower(sent_message_id collate \"C\") = lower(q.id collate \"C\")"
    "     union all select true, id, sent_message_id from spoor.message"
    "      where lower(client_message_id collate \"C\") = lower(q.id collate \"C\")"
    "     union all select false, a.message, w.sent_message_id from spoor.message_alias a join spoor.message w on w.id = a.message"
    "      where a.alias = lower(q.id collate \"C\")) f"
    "   order by f.own desc, f.id desc limit 1) m", FIND_COLUMNS};

static const struct db_statement find_envelope_sender = {
    "find_envelope_sender", "select envelope_sender from spoor.message where id = $1", 1};

static const struct db_statement find_original = {
    "find_original",
    "select case when $2 in (owner, sender) then 'owner'"
    "  when exists (select from spoor.recipient r where r.message = m.id and r.address = $2) then 'recipient'"
    "  else 'none' end,"
    " exists (select from spoor.recipient r where r.message = m.id"
    "  and substring(r.address from '@([^@]+)$') = substring($2 from '@([^@]+)$')),"
    " coalesce(sender, owner), client_message_id"
    " from spoor.message m where id = $1", 2};

static const struct db_statement find_progress = {
    "find_progress",
    "select spool, position, record, checksum from spoor.spool_progress where identity = $1", 1};

static const struct db_statement enter_spool = {
    "enter_spool", "select spoor.enter_spool($1, $2, $3)", 3};

static bool is_missing(const char *sqlstate)
{
    return strcmp(sqlstate, "42P01") == 0 || strcmp(sqlstate, "3F000") == 0; /* no such table, no such schema */
}

/* Records in the wrong server's tables would be lost to all who look for them. */
static enum store_answer is_shard(struct db *db, unsigned shard, struct buf *why, int deadline_ms)
{
    struct db_result *result = db_ask(db, &read_shard, NULL, deadline_ms);
    int64_t number;

    if (!result) {
        buf_add_str(why, db_error(db));
        return STORE_AWAY;
    }
    number = db_rows(result) ? db_integer(result, 0, 0) : -1;
    db_result_free(result);
    if (number == (int64_t)shard)
        return STORE_YES;
    buf_add_f(why, "this server is shard %" PRId64 ", and spoor.conf has it as shard %u, in %s; is it the right one, and was spoorctl"
                   " schema upgrade run?", number, shard, shard ? "shards" : "database");
    return STORE_NO;
}

static enum store_answer schema_fits(struct db *db, struct buf *why, int deadline_ms)
{
    struct db_result *result = db_ask(db, &read_schema, NULL, deadline_ms);
    int version;
    int compatible_from;

    if (!result) {
        bool missing = is_missing(db_sqlstate(db));

        buf_add_str(why, missing ? "the database has no Spoor schema; run spoorctl schema install" : db_error(db));
        return missing ? STORE_NO : STORE_AWAY;
    }
    version = db_rows(result) ? (int)db_integer(result, 0, 0) : 0;
    compatible_from = db_rows(result) ? (int)db_integer(result, 0, 1) : 0;
    db_result_free(result);
    if (STORE_SCHEMA > version) {
        buf_add_f(why, "the database has schema %d, this program needs %d; run spoorctl schema upgrade", version, STORE_SCHEMA);
        return STORE_NO;
    }
    if (STORE_SCHEMA < compatible_from) {
        buf_add_f(why, "the database has schema %d, which programs for schema %d and newer understand; this one is for %d",
                  version, compatible_from, STORE_SCHEMA);
        return STORE_NO;
    }
    return STORE_YES;
}

enum store_answer store_fits(struct db *db, struct buf *why, int deadline_ms)
{
    enum store_answer fits = schema_fits(db, why, deadline_ms);

    return fits == STORE_YES ? is_shard(db, db_shard(db), why, deadline_ms) : fits;
}

bool store_connect(struct db *db, int deadline_ms)
{
    struct buf why;
    bool fits;

    if (db_stands(db))
        return true;
    if (!db_connect(db, deadline_ms))
        return false;
    buf_init(&why, REASON_MAX);
    fits = store_fits(db, &why, deadline_ms) == STORE_YES;
    if (!fits)
        db_refuse(db, buf_text(&why));
    buf_free(&why);
    return fits;
}

static bool server_forbids_start(const char *conninfo, unsigned shard, const char *program, struct buf *why, int deadline_ms)
{
    struct db *db = db_new_shard(conninfo, shard, program);
    struct buf text;
    bool forbids;

    buf_init(&text, REASON_MAX);
    forbids = db && db_connect(db, deadline_ms) && store_fits(db, &text, deadline_ms) == STORE_NO;
    if (forbids)
        buf_add_slice(why, buf_slice(&text));
    buf_free(&text);
    db_free(db);
    return forbids;
}

bool store_forbids_start(const struct conf *conf, const char *program, struct buf *why)
{
    int64_t until_ms = clock_monotonic_ms() + START_MS;
    bool forbids = false;

    for (unsigned shard = 0; shard < SHARDS && !forbids; shard++)
        if (shard_database(conf, shard))
            forbids = server_forbids_start(shard_database(conf, shard), shard, program, why, clock_left_ms(until_ms));
    return forbids;
}

enum store_answer store_lease_node(struct db *db, const uint8_t identity[SPOOL_IDENTITY_BYTES], const char *host,
                                   const char *program, unsigned shard, int *node, int deadline_ms)
{
    char text[IDENTITY_TEXT];
    char range[NUMBER_TEXT];
    const char *const values[] = {text, host, program, range};
    struct db_result *result;
    bool leased;

    hex_write(identity, SPOOL_IDENTITY_BYTES, text);
    snprintf(range, sizeof range, "%u", shard);
    result = db_ask(db, &lease_node, values, deadline_ms);
    if (!result)
        return STORE_AWAY;
    leased = db_value(result, 0, 0) != NULL;
    if (leased)
        *node = (int)db_integer(result, 0, 0);
    db_result_free(result);
    return leased ? STORE_YES : STORE_NO;
}

/* A text that does not fit is of no use cut off. */
static void copy_text(char *to, size_t size, const char *text)
{
    to[0] = '\0';
    if (text && strlen(text) < size)
        memcpy(to, text, strlen(text) + 1);
}

static void take_messages(const struct db_result *result, struct sent_id *ids, size_t count)
{
    for (size_t row = 0; row < db_rows(result); row++) {
        size_t place = (size_t)db_integer(result, row, 0);

        if (place >= count)
            continue;
        ids[place].message = (uint64_t)db_integer(result, row, 1);
        copy_text(ids[place].sent, sizeof ids[place].sent, db_value(result, row, 2));
    }
}

static bool list_ids(struct row_set *rows, const struct sent_id *ids, size_t count, const char *values[FIND_COLUMNS])
{
    row_set_init(rows, FIND_COLUMNS);
    for (size_t n = 0; n < count; n++) {
        row_set_integer(rows, (int64_t)n);
        row_set_text(rows, ids[n].id);
    }
    return row_set_values(rows, values);
}

/* RESULT is taken over; NULL: there is none. */
static enum store_answer read_messages(struct db_result *result, struct sent_id *ids, size_t count)
{
    enum store_answer answer = STORE_AWAY;

    for (size_t n = 0; n < count; n++) {
        ids[n].message = 0;
        ids[n].sent[0] = '\0';
    }
    if (result) {
        answer = db_rows(result) ? STORE_YES : STORE_NO;
        take_messages(result, ids, count);
    }
    db_result_free(result);
    return answer;
}

enum store_answer store_find_messages(struct db *db, struct sent_id *ids, size_t count, int deadline_ms)
{
    const char *values[FIND_COLUMNS];
    struct db_result *result = NULL;
    struct row_set rows;

    if (list_ids(&rows, ids, count, values))
        result = db_ask(db, &find_messages, values, deadline_ms);
    row_set_free(&rows);
    return read_messages(result, ids, count);
}

bool store_send_messages(struct db *db, const struct sent_id *ids, size_t count)
{
    const char *values[FIND_COLUMNS];
    struct row_set rows;
    bool sent = list_ids(&rows, ids, count, values) && db_send(db, &find_messages, values);

    row_set_free(&rows);
    return sent;
}

enum store_answer store_receive_messages(struct db *db, struct sent_id *ids, size_t count)
{
    return read_messages(db_receive(db, &find_messages), ids, count);
}

enum store_answer store_find_envelope_sender(struct db *db, uint64_t message, struct buf *sender, int deadline_ms)
{
    char number[NUMBER_TEXT];
    struct db_result *result;
    const char *found;

    snprintf(number, sizeof number, "%lld", (long long)message);
    result = db_ask(db, &find_envelope_sender, (const char *const[]){number}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    found = db_rows(result) ? db_value(result, 0, 0) : NULL;
    if (found)
        buf_add_str(sender, found);
    db_result_free(result);
    return found && !sender->failed ? STORE_YES : STORE_NO;
}

static enum relation relation_of(const char *word)
{
    if (strcmp(word, "owner") == 0)
        return RELATION_OWNER;
    return strcmp(word, "recipient") == 0 ? RELATION_RECIPIENT : RELATION_NONE;
}

enum store_answer store_find_original(struct db *db, uint64_t message, struct slice address, struct original *original,
                                      int deadline_ms)
{
    struct db_result *result = NULL;
    enum store_answer answer = STORE_AWAY;
    char number[NUMBER_TEXT];
    struct buf text;

    *original = (struct original){.relation = RELATION_UNKNOWN};
    buf_init(&text, TEXT_MAX);
    snprintf(number, sizeof number, "%lld", (long long)message);
    if (utf8_clean(address, &text))
        result = db_ask(db, &find_original, (const char *const[]){number, buf_text(&text)}, deadline_ms);
    if (result)
        answer = db_rows(result) ? STORE_YES : STORE_NO;
    if (answer == STORE_YES) {
        original->relation = relation_of(db_value(result, 0, 0));
        original->same_domain = strcmp(db_value(result, 0, 1), "t") == 0;
        copy_text(original->sender, sizeof original->sender, db_value(result, 0, 2));
        copy_text(original->own_id, sizeof original->own_id, db_value(result, 0, 3));
    }
    db_result_free(result);
    buf_free(&text);
    return answer;
}

/* STORE_NO: the identity is not there. */
static enum store_answer read_progress(struct db *db, const char *identity, struct store_progress *progress, int deadline_ms)
{
    struct db_result *result = db_ask(db, &find_progress, (const char *const[]){identity}, deadline_ms);
    bool found;

    if (!result)
        return STORE_AWAY;
    found = db_rows(result) == 1;
    if (found)
        *progress = (struct store_progress){
            .spool = (int32_t)db_integer(result, 0, 0),
            .position = (uint64_t)db_integer(result, 0, 1),
            .record = (uint64_t)db_integer(result, 0, 2),
            .checksum = (uint32_t)db_integer(result, 0, 3),
        };
    db_result_free(result);
    return found ? STORE_YES : STORE_NO;
}

enum store_answer store_progress(struct db *db, const uint8_t identity[SPOOL_IDENTITY_BYTES], const char *host,
                                 const char *program, struct store_progress *progress, int deadline_ms)
{
    char text[IDENTITY_TEXT];
    struct db_result *result;
    enum store_answer known;

    hex_write(identity, SPOOL_IDENTITY_BYTES, text);
    known = read_progress(db, text, progress, deadline_ms);
    if (known == STORE_AWAY)
        return known;
    result = db_ask(db, &enter_spool, (const char *const[]){text, host, program}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    db_result_free(result);
    if (known == STORE_YES)
        return known;
    return read_progress(db, text, progress, deadline_ms) == STORE_YES ? STORE_NO : STORE_AWAY;
}

bool store_add_lines(struct db *db, const struct db_statement *statement, struct buf *text, int deadline_ms)
{
    struct db_result *result = db_ask(db, statement, NULL, deadline_ms);

    for (size_t row = 0; result && row < db_rows(result); row++) {
        buf_add_str(text, db_value(result, row, 0));
        buf_add_char(text, '\n');
    }
    db_result_free(result);
    return result != NULL;
}
