/* SPDX-License-Identifier: BSD-2-Clause */
/* a program's records go to the servers that have their mails, while one of them is away too */

#include "common/clock.h"
#include "common/db.h"
#include "common/record_document.h"
#include "common/recorder.h"
#include "tests/unit/postgres.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { WAIT_MS = 100000, TRIES = 2000, TRY_US = 50000, WRITERS = 4, EACH = 500, NODE_BITS = 12, TIME_BITS = 22 };

struct fixture {
    char folder[200];
    char first[300], other[300], item[310];
    char *items[1];
    struct conf conf;
    struct recorder recorder;
};

/* A mail of now, of the first node of that shard. */
static uint64_t mail_of(unsigned shard, unsigned number)
{
    return (uint64_t)1000000000 << TIME_BITS | (uint64_t)shard * SHARD_NODES << NODE_BITS | number;
}

static long number_of(const char *conninfo, const char *sql)
{
    struct db *db = db_new(conninfo, "test");
    const struct db_statement statement = {"", sql, 0};
    struct db_result *result = db_connect(db, WAIT_MS) ? db_ask(db, &statement, NULL, WAIT_MS) : NULL;
    long number = -1;

    if (!result)
        fail_msg("%s: %s", sql, db_error(db));
    else if (db_rows(result))
        number = (long)db_integer(result, 0, 0);
    db_result_free(result);
    db_free(db);
    return number;
}

static void execute(const char *conninfo, const char *sql)
{
    struct db *db = db_new(conninfo, "test");

    if (!db_connect(db, WAIT_MS) || !db_execute(db, sql, WAIT_MS))
        fail_msg("%s: %s", sql, db_error(db));
    db_free(db);
}

static void wait_for(const char *conninfo, const char *sql, long expected)
{
    for (int n = 0; n < TRIES; n++) {
        if (number_of(conninfo, sql) == expected)
            return;
        usleep(TRY_US);
    }
    fail_msg("%s: %ld, not %ld", sql, number_of(conninfo, sql), expected);
}

static void start(struct fixture *fixture)
{
    struct buf error;

    buf_init(&error, 4096);
    if (!recorder_open(&fixture->recorder, &fixture->conf, "test", 0, &error) ||
        !recorder_start(&fixture->recorder, &fixture->conf, &(struct recorder_program){.name = "test"}, &error))
        fail_msg("%s", buf_text(&error));
    buf_free(&error);
}

/* True when the loaders do not say that they cannot. */
static bool can_start(struct fixture *fixture, struct buf *error)
{
    bool started = recorder_open(&fixture->recorder, &fixture->conf, "test", 0, error) &&
                   recorder_start(&fixture->recorder, &fixture->conf, &(struct recorder_program){.name = "test"}, error);

    recorder_close(&fixture->recorder, 0);
    return started;
}

static void write_hit(struct fixture *fixture, uint64_t message)
{
    struct record_hit hit = {.kind = HIT_VIEW, .message = message, .recipient = 1, .time_us = clock_wall_us(),
                             .user_agent = slice_str("Mozilla"), .reason = slice_str("test")};
    struct buf payload;
    uint64_t end = 0;

    buf_init(&payload, 4096);
    assert_true(record_hit_encode(&hit, &payload));
    assert_int_equal(recorder_append(&fixture->recorder, RECORD_HIT, &payload, &end), SPOOL_OK);
    assert_int_equal(recorder_sync(&fixture->recorder, end), SPOOL_OK);
    buf_free(&payload);
}

static void *write_many(void *arg)
{
    for (unsigned n = 0; n < EACH; n++)
        write_hit(arg, mail_of(n % 3, n)); /* shard 2 is not named: the first has it */
    return NULL;
}

static int install(void **state)
{
    char sql[4096];

    (void)state;
    execute(getenv("SPOOR_TEST_DATABASE"), "create database other");
    if (postgres_schema("install") != 0)
        return -1;
    snprintf(sql, sizeof sql, "host=%s user=postgres dbname=other", getenv("SPOOR_TEST_FOLDER"));
    setenv("SPOOR_TEST_DATABASE", sql, 1);
    if (postgres_schema("install") != 0)
        return -1;
    execute(sql, "update spoor.shard set number = 1");
    return 0;
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    snprintf(fixture->folder, sizeof fixture->folder, "%s/spools-%ld", getenv("SPOOR_TEST_FOLDER"), (long)clock_wall_us());
    snprintf(fixture->first, sizeof fixture->first, "host=%s user=postgres dbname=postgres", getenv("SPOOR_TEST_FOLDER"));
    snprintf(fixture->other, sizeof fixture->other, "host=%s user=postgres dbname=other", getenv("SPOOR_TEST_FOLDER"));
    snprintf(fixture->item, sizeof fixture->item, "1 %s", fixture->other);
    fixture->items[0] = fixture->item;
    fixture->conf = (struct conf){.database = fixture->first, .spool_directory = fixture->folder, .instance = (char *)(uintptr_t)"",
                                  .spool_segment_bytes = 65536, .spool_max_bytes = 64 * 1024 * 1024, .spool_keep_s = 3600,
                                  .shards = {fixture->items, 1}};
    *state = fixture;
    execute(fixture->first, "truncate spoor.event");
    execute(fixture->other, "truncate spoor.event");
    return mkdir(fixture->folder, 0700);
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static void a_mails_server_follows_from_its_number(void **state)
{
    (void)state;
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        assert_int_equal(shard_of(mail_of(shard, 0)), shard);
        assert_int_equal(shard_of(mail_of(shard, 4095) | (uint64_t)(SHARD_NODES - 1) << NODE_BITS), shard);
    }
    assert_int_equal(shard_of(0), 0);
    assert_int_equal(shard_of(4194303), 0); /* of the library */
}

static void each_record_names_its_mail(void **state)
{
    uint64_t wanted = mail_of(5, 77), message = 0;
    struct record_answer answer = {.message = wanted};
    struct record_stop stop = {.message = wanted};
    struct record_unsubscribe unsubscribe = {.message = wanted, .way = UNSUBSCRIBE_WEB};
    struct record_copy copy = {.message = wanted};
    struct record_refusal refusal = {.message = wanted};
    struct record_message mail = {.id = wanted};
    struct record_hit hit = {.message = wanted};
    struct record_document document = {.hit = hit};
    struct record_beacon beacon = {.hit = hit};
    struct record_delivery delivery = {.state = DELIVERY_DELIVERED};
    struct buf payload;

    (void)state;
    buf_init(&payload, RECORD_BYTES_MAX);
#define NAMES(kind, encoded)                                                                                                       \
    buf_reset(&payload);                                                                                                           \
    assert_true(encoded);                                                                                                          \
    message = 0;                                                                                                                   \
    assert_true(record_message_of(kind, buf_slice(&payload), &message));                                                           \
    assert_true(message == wanted);                                                                                                \
    assert_false(record_message_of(kind, slice_of(payload.data, 7), &message))
    NAMES(RECORD_ANSWER, record_answer_encode(&answer, &payload));
    NAMES(RECORD_STOP, record_stop_encode(&stop, &payload));
    NAMES(RECORD_UNSUBSCRIBE, record_unsubscribe_encode(&unsubscribe, &payload));
    NAMES(RECORD_COPY, record_copy_encode(&copy, &payload));
    NAMES(RECORD_REFUSED, record_refusal_encode(&refusal, &payload));
    NAMES(RECORD_MESSAGE, record_message_encode(&mail, &payload));
    NAMES(RECORD_HIT, record_hit_encode(&hit, &payload));
    NAMES(RECORD_DOCUMENT, record_document_encode(&document, &payload));
    NAMES(RECORD_BEACON, record_beacon_encode(&beacon, &payload));
#undef NAMES
    buf_reset(&payload);
    assert_true(record_delivery_encode(&delivery, &payload));
    assert_false(record_message_of(RECORD_DELIVERY, buf_slice(&payload), &message));
    assert_false(record_message_of(200, buf_slice(&payload), &message));
    buf_free(&payload);
}

static void records_of_many_threads_come_once_to_their_server(void **state)
{
    struct fixture *fixture = *state;
    pthread_t writer[WRITERS];
    long of_shard_1 = WRITERS * ((EACH + 1) / 3);

    start(fixture);
    for (int n = 0; n < WRITERS; n++)
        assert_int_equal(pthread_create(&writer[n], NULL, write_many, fixture), 0);
    for (int n = 0; n < WRITERS; n++)
        pthread_join(writer[n], NULL);
    wait_for(fixture->other, "select count(*) from spoor.event", of_shard_1);
    wait_for(fixture->first, "select count(*) from spoor.event", (long)WRITERS * EACH - of_shard_1);
    recorder_close(&fixture->recorder, WAIT_MS);
    assert_int_equal(number_of(fixture->other, "select count(*) from spoor.event where (message >> 19) % 8 <> 1"), 0);
    assert_int_equal(number_of(fixture->first, "select count(*) from spoor.event where (message >> 19) % 8 = 1"), 0);
}

static void one_that_is_away_keeps_nothing_from_the_other(void **state)
{
    struct fixture *fixture = *state;

    snprintf(fixture->item, sizeof fixture->item, "1 host=%s/nowhere dbname=other", getenv("SPOOR_TEST_FOLDER"));
    start(fixture);
    for (unsigned n = 0; n < 20; n++)
        write_hit(fixture, mail_of(n % 2, n));
    wait_for(fixture->first, "select count(*) from spoor.event", 10);
    recorder_close(&fixture->recorder, 100);
    assert_int_equal(number_of(fixture->other, "select count(*) from spoor.event"), 0);
    snprintf(fixture->item, sizeof fixture->item, "1 %s", fixture->other);
    start(fixture);
    wait_for(fixture->other, "select count(*) from spoor.event", 10);
    recorder_close(&fixture->recorder, WAIT_MS);
    assert_int_equal(number_of(fixture->first, "select count(*) from spoor.event"), 10);
    assert_int_equal(number_of(fixture->other, "select count(*) from spoor.event"), 10);
}

static void what_the_log_tells_goes_where_this_hosts_mail_is(void **state)
{
    struct record_delivery delivery = {.state = DELIVERY_DELIVERED, .time_us = clock_wall_us(), .host = slice_str("here"),
                                       .queue_id = slice_str("4XYZ"), .recipient = slice_str("bob@example.net")};
    struct fixture *fixture = *state;
    struct buf payload;

    fixture->conf.shard = 1;
    start(fixture);
    buf_init(&payload, RECORD_BYTES_MAX);
    assert_true(record_delivery_encode(&delivery, &payload));
    assert_int_equal(recorder_write(&fixture->recorder, RECORD_DELIVERY, &payload, true), SPOOL_OK);
    buf_free(&payload);
    wait_for(fixture->other, "select count(*) from spoor.pending_delivery where queue_id = '4XYZ'", 1);
    recorder_close(&fixture->recorder, WAIT_MS);
    assert_int_equal(number_of(fixture->first, "select count(*) from spoor.pending_delivery"), 0);
}

static void the_wrong_server_is_said(void **state)
{
    struct fixture *fixture = *state;
    struct buf error;

    buf_init(&error, 4096);
    snprintf(fixture->item, sizeof fixture->item, "1 %s", fixture->first);
    for (int n = 0; n < TRIES && can_start(fixture, &error); n++) /* a start waits less than a second for a busy server */
        ;
    assert_non_null(strstr(buf_text(&error), "this server is shard 0, and spoor.conf has it as shard 1"));
    buf_free(&error);
}

static void an_unknown_kind_of_server_is_none(void **state)
{
    struct fixture *fixture = *state;
    char name[SHARD_NAME_BYTES];

    assert_string_equal(shard_database(&fixture->conf, 0), fixture->first);
    assert_string_equal(shard_database(&fixture->conf, 1), fixture->other);
    assert_null(shard_database(&fixture->conf, 2));
    assert_string_equal(shard_name(0, name), "the database");
    assert_string_equal(shard_name(3, name), "shard 3");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(a_mails_server_follows_from_its_number),
        CASE(each_record_names_its_mail),
        CASE(an_unknown_kind_of_server_is_none),
        CASE(records_of_many_threads_come_once_to_their_server),
        CASE(one_that_is_away_keeps_nothing_from_the_other),
        CASE(what_the_log_tells_goes_where_this_hosts_mail_is),
        CASE(the_wrong_server_is_said),
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests(tests, install, NULL);
}
