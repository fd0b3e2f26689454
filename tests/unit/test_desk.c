/* SPDX-License-Identifier: BSD-2-Clause */
/* the desk: work gets a connection, nobody who adds it waits, and none is forgotten */

#include "common/clock.h"
#include "pixeld/desk.h"
#include "tests/unit/postgres.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { WAIT_MS = 100000, THREADS = 3, PLACES = 8, ADDERS = 4, EACH = 200 };

static const struct db_statement answer = {"answer", "select 42", 0};
static const struct db_statement sleep_long = {"sleep_long", "select pg_sleep(60)", 0};

static atomic_size_t with_database, without, wrong;
static atomic_bool asking, shut;

static void count(struct db *db)
{
    struct db_result *result = db ? db_ask(db, &answer, NULL, WAIT_MS) : NULL;

    if (result && db_integer(result, 0, 0) != 42)
        atomic_fetch_add(&wrong, 1);
    db_result_free(result);
    atomic_fetch_add(db ? &with_database : &without, 1);
}

static void ask(struct desk_work *work, struct db *db)
{
    (void)work;
    count(db);
}

static void wait_for_door(struct desk_work *work, struct db *db)
{
    (void)work;
    while (atomic_load(&shut))
        ;
    count(db);
}

static void ask_for_long(struct desk_work *work, struct db *db)
{
    struct db_result *result;

    (void)work;
    atomic_store(&asking, true);
    result = db ? db_ask(db, &sleep_long, NULL, WAIT_MS) : NULL;
    if (result)
        atomic_fetch_add(&wrong, 1);
    db_result_free(result);
}

static struct desk *start(const char *conninfo)
{
    struct conf conf = {.database = (char *)(uintptr_t)conninfo};
    struct desk_options options = {
        .conf = &conf, .program = "test", .connect = db_connect, .threads = THREADS, .places = PLACES};
    struct desk *desk = desk_start(&options);

    atomic_store(&with_database, 0);
    atomic_store(&without, 0);
    atomic_store(&wrong, 0);
    atomic_store(&asking, false);
    atomic_store(&shut, false);
    assert_non_null(desk);
    return desk;
}

static void wait_for(atomic_size_t *counter, size_t wanted)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;

    while (atomic_load(counter) < wanted && clock_monotonic_ms() < until)
        ;
    assert_int_equal(atomic_load(counter), wanted);
}

/* Until a connection stands. */
static void warm(struct desk *desk)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    static struct desk_work work;

    while (atomic_load(&with_database) == 0 && clock_monotonic_ms() < until) {
        size_t before = atomic_load(&without) + atomic_load(&with_database);

        work.perform = ask;
        assert_true(desk_add(desk, &work));
        while (atomic_load(&without) + atomic_load(&with_database) == before)
            ;
    }
    assert_true(atomic_load(&with_database) > 0);
    atomic_store(&with_database, 0);
    atomic_store(&without, 0);
}

static struct desk_work many[ADDERS][EACH];

struct adder {
    pthread_t thread;
    struct desk *desk;
    struct desk_work *work;
};

static void *add_many(void *arg)
{
    struct adder *adder = arg;

    for (size_t n = 0; n < EACH; n++) {
        adder->work[n].perform = ask;
        while (!desk_add(adder->desk, &adder->work[n]))
            ;
    }
    return NULL;
}

static void all_work_of_many_threads_is_done(void **state)
{
    struct desk *desk = start(getenv("SPOOR_TEST_DATABASE"));
    struct adder adder[ADDERS];

    (void)state;
    warm(desk);
    for (size_t n = 0; n < ADDERS; n++) {
        adder[n] = (struct adder){.desk = desk, .work = many[n]};
        assert_int_equal(pthread_create(&adder[n].thread, NULL, add_many, &adder[n]), 0);
    }
    for (size_t n = 0; n < ADDERS; n++)
        pthread_join(adder[n].thread, NULL);
    desk_stop(desk);
    desk_free(desk);
    assert_int_equal(atomic_load(&with_database) + atomic_load(&without), ADDERS * EACH);
    assert_true(atomic_load(&with_database) > 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

static void a_full_desk_says_so_at_once(void **state)
{
    struct desk *desk = start("host=127.0.0.1 port=1");
    static struct desk_work work[THREADS + PLACES + 1];
    int64_t until = clock_monotonic_ms() + WAIT_MS;
    size_t taken = 0;

    (void)state;
    atomic_store(&shut, true);
    /* the threads take some away, sooner or later */
    while (taken < THREADS + PLACES && clock_monotonic_ms() < until) {
        work[taken].perform = wait_for_door;
        taken += desk_add(desk, &work[taken]);
    }
    assert_int_equal(taken, THREADS + PLACES);
    work[taken].perform = wait_for_door;
    assert_false(desk_add(desk, &work[taken]));
    atomic_store(&shut, false);
    wait_for(&without, taken);
    assert_true(desk_add(desk, &work[taken]));
    desk_stop(desk);
    desk_free(desk);
    assert_int_equal(atomic_load(&without), taken + 1);
}

/* A page that is asked for while the daemon starts is shown, and not put off. */
static void the_first_work_waits_for_the_connections(void **state)
{
    struct desk *desk = start(getenv("SPOOR_TEST_DATABASE"));
    static struct desk_work work[THREADS];

    (void)state;
    for (size_t n = 0; n < THREADS; n++) {
        work[n].perform = ask;
        assert_true(desk_add(desk, &work[n]));
    }
    wait_for(&with_database, THREADS);
    desk_stop(desk);
    desk_free(desk);
    assert_int_equal(atomic_load(&without), 0);
    assert_int_equal(atomic_load(&wrong), 0);
}

static void a_desk_that_closes_waits_for_no_question(void **state)
{
    struct desk *desk = start(getenv("SPOOR_TEST_DATABASE"));
    static struct desk_work work[2 * THREADS];
    int64_t began;

    (void)state;
    warm(desk);
    for (size_t n = 0; n < THREADS; n++) {
        work[n].perform = ask_for_long;
        assert_true(desk_add(desk, &work[n]));
    }
    while (!atomic_load(&asking))
        ;
    for (size_t n = THREADS; n < 2 * THREADS; n++) {
        work[n].perform = ask;
        assert_true(desk_add(desk, &work[n]));
    }
    began = clock_monotonic_ms();
    desk_stop(desk);
    assert_true(clock_monotonic_ms() - began < WAIT_MS / 2); /* the questions take longer */
    assert_false(desk_add(desk, &work[0]));
    desk_stop(desk);
    desk_free(desk);
    assert_int_equal(atomic_load(&with_database), 0);
    assert_int_equal(atomic_load(&without), THREADS);
    assert_int_equal(atomic_load(&wrong), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_work_waits_for_the_connections),
        cmocka_unit_test(all_work_of_many_threads_is_done),
        cmocka_unit_test(a_full_desk_says_so_at_once),
        cmocka_unit_test(a_desk_that_closes_waits_for_no_question),
    };

    (void)argc;
    postgres_begin(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
