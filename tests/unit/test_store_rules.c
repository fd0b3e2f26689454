/* SPDX-License-Identifier: BSD-2-Clause */
/* rules and hindsight against a real PostgreSQL: what the programs ask, as the role that asks it */

#include "common/store_rules.h"
#include "pixeld/rules.h"
#include "tests/unit/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WAIT_MS = 60000, TEXT_MAX = 1024 * 1024 };

static struct db *admin, *pixeld;

static void execute(const char *sql)
{
    if (!db_execute(admin, sql, WAIT_MS))
        fail_msg("%s: %s", sql, db_error(admin));
}

static int64_t number_of(const char *sql)
{
    static struct db_statement statement;
    struct db_result *result;
    int64_t number;

    statement = (struct db_statement){"", sql, 0};
    db_free(admin);
    admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    assert_true(db_connect(admin, WAIT_MS));
    result = db_ask(admin, &statement, NULL, WAIT_MS);
    if (!result)
        fail_msg("%s: %s", sql, db_error(admin));
    number = db_integer(result, 0, 0);
    db_result_free(result);
    return number;
}

static int set_up(void **state)
{
    (void)state;
    assert_int_equal(postgres_schema("install"), 0);
    admin = db_new(getenv("SPOOR_TEST_DATABASE"), "test");
    pixeld = db_new(postgres_as("spoor_pixeld"), "test");
    return db_connect(admin, WAIT_MS) && db_connect(pixeld, WAIT_MS) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    db_free(admin);
    db_free(pixeld);
    return 0;
}

static void the_built_in_rules_are_those_of_the_migration(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX);
    assert_int_equal(store_read_rules(pixeld, &text, WAIT_MS), STORE_YES);
    assert_string_equal(buf_text(&text), rules_builtin);
    buf_free(&text);
}

static void a_change_is_told(void **state)
{
    char channel[CHANNEL_BYTES];
    struct buf text;

    (void)state;
    assert_int_equal(store_listen_rules(pixeld, WAIT_MS), STORE_YES);
    assert_false(db_wait_notification(pixeld, 0, channel));
    execute("insert into spoor.network_rule (network, source, verdict, reason, younger_than) values"
            " ('192.0.2.0/24', 'list', 'bot', 'listed', null), ('192.0.2.0/24', 'local', 'self', 'office', '90 s')");
    assert_true(db_wait_notification(pixeld, WAIT_MS, channel));
    assert_string_equal(channel, "spoor_rules");
    buf_init(&text, TEXT_MAX);
    assert_int_equal(store_read_rules(pixeld, &text, WAIT_MS), STORE_YES);
    assert_non_null(strstr(buf_text(&text), "network\tany\t90000\tself\toffice\t192.0.2.0/24\n"));
    assert_null(strstr(buf_text(&text), "listed")); /* what the administrator wrote wins */
    buf_reset(&text);
    text.cap = 100;
    assert_int_equal(store_read_rules(pixeld, &text, WAIT_MS), STORE_NO);
    buf_free(&text);
    execute("delete from spoor.network_rule where reason in ('office', 'listed')");
}

static int64_t judge(int most)
{
    int64_t judged = -1;
    enum store_answer answer = store_judge_hindsight(pixeld, most, &judged, WAIT_MS);

    if (answer != STORE_YES)
        fail_msg("%s", db_error(pixeld));
    return judged;
}

/*
 * Ten thousand clicks in one batch by one who holds one token, on three links in turn, within ten minutes; and as many
 * views by one address. What somebody can do with a valid link must not stop hindsight.
 */
static void a_flood_is_judged_in_one_run(void **state)
{
    (void)state;
    execute("select spoor.ensure_partitions(now() - interval '1 day', now() + interval '1 day');"
            "insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
            " select now() - n * interval '60 ms', 5, n, 7, 1, 1, n % 3 + 1, 'c', 'h', 0, '198.51.100.1'"
            " from generate_series(1, 10000) n;"
            "insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
            " select now() - n * interval '1 ms', 6, 10000 + n, n, 1, 1, 0, 'v', 'u', 0, '198.51.100.2'"
            " from generate_series(1, 10000) n;"
            "select spoor.add_batch(1::smallint, 1, 10000, 10000), spoor.add_batch(1::smallint, 10001, 20000, 10000)");
    assert_int_equal(judge(20000), 20000);
    assert_int_equal(judge(20000), 0);
    assert_int_equal(number_of("select count(*) from spoor.judged_event where verdict = 'b' and message in (5, 6)"), 20000);
    assert_int_equal(number_of("select count(distinct (spool, record)) from spoor.event_verdict"), 20000);
    assert_int_equal(number_of("select count(*) from spoor.event where verdict = 'b'"), 0);
}

/* A slow day: what is far apart stays as it was. */
static void people_are_left_alone(void **state)
{
    (void)state;
    execute("insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
            " select now() - n * interval '1 s', 8, 30000 + n, 7, 2, 1, n % 5 + 1, 'c', 'h', 0, '198.51.100.3'"
            " from generate_series(1, 1000) n;"
            "insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
            " select now() - n * interval '600 ms', 9, 31000 + n, n, 2, 1, 0, 'v', 'u', 0, '198.51.100.4'"
            " from generate_series(1, 1000) n;"
            "select spoor.add_batch(1::smallint, 30001, 32000, 2000)");
    assert_int_equal(judge(20000), 0);
}

/* Batches are small steps: no more than asked for, but always one. */
static void a_run_is_bounded(void **state)
{
    (void)state;
    execute("select spoor.add_batch(1::smallint, 40001, 40010, 10), spoor.add_batch(1::smallint, 40011, 40020, 10)");
    judge(1);
    assert_int_equal(number_of("select max(b.number) - max(h.batch) from spoor.batch b, spoor.hindsight h"), 1);
    judge(1);
    judge(1); /* its own batches of verdicts are passed over, too */
    assert_int_equal(number_of("select max(b.number) - max(h.batch) from spoor.batch b, spoor.hindsight h"), 0);
}

static void take_place(void *arg, const struct store_unjudged *hit)
{
    *(int64_t *)arg = hit->record;
}

static void a_hit_is_handed_in_once(void **state)
{
    struct token token = {.kind = TOKEN_CLICK, .message = 12, .recipient = 0xFFFFFFFE, .index = 3};
    int64_t record = 0;

    (void)state;
    /* the second to fourth characters of this token name key 9 */
    execute("insert into spoor.unjudged_hit (spool, record, at_time, target, verdict, reason, agent, address) values"
            " (1, 50000, now(), '/c/cies/x', 'h', 0, 1, '198.51.100.9'), (1, 50001, now(), '/c/cies/y', 'h', 0, 1, null)");
    assert_int_equal(number_of("select spoor.token_key('/c/cies/x')"), 9);
    assert_int_equal(store_find_unjudged(pixeld, "1,8", 10, take_place, &record, WAIT_MS), STORE_NO);
    assert_int_equal(store_find_unjudged(pixeld, "1,9", 1, take_place, &record, WAIT_MS), STORE_YES);
    assert_int_equal(record, 50000);
    assert_int_equal(store_judge_hit(pixeld, 1, record, &token, WAIT_MS), STORE_YES);
    assert_int_equal(store_judge_hit(pixeld, 1, record, &token, WAIT_MS), STORE_YES);
    assert_int_equal(number_of("select count(*) from spoor.event where record = 50000 and message = 12 and recipient = -2"
                               " and link = 3 and kind = 'c' and verdict = 'h' and address = '198.51.100.9'"), 1);
    assert_int_equal(store_judge_hit(pixeld, 1, 50001, NULL, WAIT_MS), STORE_YES);
    assert_int_equal(number_of("select count(*) from spoor.event where record = 50001"), 0);
    assert_int_equal(number_of("select count(*) from spoor.unjudged_hit"), 0);
}

#define FEED_OF_DORA "select count(*) from (select string_agg(f.record::text, ' ' order by f.batch desc, f.record desc) as"\
                     " records from spoor.feed_page('dora@example.com') f) p where records = '60002 60003 60001'"

/* What is handed in lies between records of an older batch. It is news, comes once, and those do not come again. */
static void a_hit_handed_in_comes_once_in_the_feed(void **state)
{
    const struct token token = {.kind = TOKEN_VIEW, .message = 13, .recipient = 1};

    (void)state;
    execute("insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, subject)"
            " values (13, now(), 1, 'individual', 1, 1, 'dora@example.com', 'x');"
            "insert into spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
            " select now(), 13, n, 1, 1, 1, 0, 'v', 'h', 0, null from unnest('{60001,60003}'::bigint[]) n;"
            "insert into spoor.unjudged_hit (spool, record, at_time, target, verdict, reason, agent, address) values"
            " (1, 60002, now(), '/o/cies.gif', 'h', 0, 1, null);"
            "select spoor.add_batch(1::smallint, 60001, 60003, 3)");
    assert_int_equal(store_judge_hit(pixeld, 1, 60002, &token, WAIT_MS), STORE_YES);
    assert_int_equal(number_of(FEED_OF_DORA), 1);
    execute("insert into spoor.message (id, sent_at, size, level, pixels, sent_to, owner, subject)"
            " select n, now(), 1, 'individual', 1, 1, 'dora@example.com', 'x' from generate_series(100001, 101001) n");
    assert_int_equal(number_of(FEED_OF_DORA), 1); /* the other way to find it */
}

static void the_role_may_not_change_rules(void **state)
{
    (void)state;
    assert_false(db_execute(pixeld, "delete from spoor.agent_rule", WAIT_MS));
    assert_false(db_execute(pixeld, "insert into spoor.event_verdict (spool, record, verdict, reason) values (1, 1, 'h', 0)",
                            WAIT_MS));
    assert_false(db_execute(pixeld, "select spoor.judge_bursts('{}')", WAIT_MS));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_built_in_rules_are_those_of_the_migration),
        cmocka_unit_test(a_change_is_told),
        cmocka_unit_test(a_flood_is_judged_in_one_run),
        cmocka_unit_test(people_are_left_alone),
        cmocka_unit_test(a_run_is_bounded),
        cmocka_unit_test(a_hit_is_handed_in_once),
        cmocka_unit_test(a_hit_handed_in_comes_once_in_the_feed),
        cmocka_unit_test(the_role_may_not_change_rules),
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests_name("store_rules", tests, set_up, tear_down);
}
