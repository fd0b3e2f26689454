/* SPDX-License-Identifier: BSD-2-Clause */
/* answers that wait for the disk: none goes early, none is forgotten, many share one sync */

#include "common/clock.h"
#include "pixeld/held.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 4, ANSWERS = 2000, WAIT_MS = 100000 };

/* A disk that knows up to where it was synced. */
static atomic_uint_fast64_t appended, settled;
static atomic_size_t syncs, counted, released, early;
static atomic_bool stuck;

struct waiting {
    struct held_answer held;
    uint64_t end;
};

static void settle(void *arg, uint64_t after, size_t answers)
{
    (void)arg;
    while (atomic_load(&stuck))
        ;
    atomic_fetch_add(&syncs, 1);
    atomic_fetch_add(&counted, answers);
    if (after > atomic_load(&settled))
        atomic_store(&settled, after);
}

static void release(void *what)
{
    const struct waiting *one = what;

    if (atomic_load(&settled) < one->end)
        atomic_fetch_add(&early, 1);
    atomic_fetch_add(&released, 1);
}

static struct held *start(void)
{
    const struct held_options options = {.settle = settle, .release = release};
    struct held *held;

    atomic_store(&appended, 0);
    atomic_store(&settled, 0);
    atomic_store(&syncs, 0);
    atomic_store(&counted, 0);
    atomic_store(&released, 0);
    atomic_store(&early, 0);
    atomic_store(&stuck, false);
    held = held_start(&options);
    assert_non_null(held);
    return held;
}

static bool add(struct held *held, struct waiting *one)
{
    one->end = atomic_fetch_add(&appended, 1) + 1;
    one->held = (struct held_answer){.after = one->end, .what = one};
    return held_add(held, &one->held);
}

static void wait_released(size_t answers)
{
    int64_t until = clock_monotonic_ms() + WAIT_MS;

    while (atomic_load(&released) < answers && clock_monotonic_ms() < until)
        ;
    assert_int_equal(atomic_load(&released), answers);
}

static void one_answer_is_settled_at_once(void **state)
{
    struct held *held = start();
    struct waiting one;

    (void)state;
    assert_true(add(held, &one));
    wait_released(1);
    assert_int_equal(atomic_load(&settled), 1);
    held_stop(held);
    held_free(held);
    assert_int_equal(atomic_load(&early), 0);
}

static void those_that_come_meanwhile_share_a_sync(void **state)
{
    static struct waiting one[1 + ANSWERS];
    struct held *held = start();

    (void)state;
    atomic_store(&stuck, true);
    assert_true(add(held, &one[0]));
    for (size_t n = 1; n <= ANSWERS; n++)
        assert_true(add(held, &one[n]));
    assert_int_equal(atomic_load(&released), 0);
    atomic_store(&stuck, false);
    wait_released(1 + ANSWERS);
    assert_true(atomic_load(&syncs) <= 2);
    assert_int_equal(atomic_load(&counted), 1 + ANSWERS);
    held_stop(held);
    held_free(held);
    assert_int_equal(atomic_load(&early), 0);
}

static void the_end_forgets_none_and_takes_no_more(void **state)
{
    static struct waiting one[ANSWERS];
    struct held *held = start();
    struct waiting late;

    (void)state;
    for (size_t n = 0; n < ANSWERS; n++)
        assert_true(add(held, &one[n]));
    held_stop(held);
    assert_int_equal(atomic_load(&released), ANSWERS);
    assert_false(add(held, &late));
    held_free(held);
    assert_int_equal(atomic_load(&early), 0);
}

static void *add_many(void *held)
{
    static _Thread_local struct waiting one[ANSWERS];

    for (size_t n = 0; n < ANSWERS; n++)
        if (!add(held, &one[n]))
            return NULL;
    while (atomic_load(&released) < (size_t)THREADS * ANSWERS)
        ;
    return held;
}

static void threads_may_add_at_once(void **state)
{
    struct held *held = start();
    pthread_t thread[THREADS];
    void *good;

    (void)state;
    for (size_t n = 0; n < THREADS; n++)
        assert_int_equal(pthread_create(&thread[n], NULL, add_many, held), 0);
    for (size_t n = 0; n < THREADS; n++) {
        pthread_join(thread[n], &good);
        assert_non_null(good);
    }
    held_stop(held);
    held_free(held);
    assert_int_equal(atomic_load(&released), THREADS * ANSWERS);
    assert_int_equal(atomic_load(&early), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_answer_is_settled_at_once),
        cmocka_unit_test(those_that_come_meanwhile_share_a_sync),
        cmocka_unit_test(the_end_forgets_none_and_takes_no_more),
        cmocka_unit_test(threads_may_add_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
