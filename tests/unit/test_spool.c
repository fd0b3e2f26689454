/* SPDX-License-Identifier: BSD-2-Clause */
/* the spool: order and completeness over segments, what is kept and what makes way, a process killed */

#include "tests/unit/numbered_spool.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void comes_back_over_segments_and_restarts(void **state)
{
    struct spool *spool = numbered_open_good();
    uint8_t before[SPOOL_IDENTITY_BYTES], after[SPOOL_IDENTITY_BYTES];
    uint64_t end;

    (void)state;
    spool_identity(spool, before);
    end = numbered_append_range(spool, 0, MANY);
    assert_true(spool->segments > 5);
    numbered_expect_all(spool, 0, MANY);
    spool_close(spool, NULL);

    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    assert_true(spool_end(spool) == end && spool_durable(spool) == end);
    spool_identity(spool, after);
    assert_memory_equal(before, after, sizeof before);
    numbered_append_range(spool, MANY, 2 * MANY);
    numbered_expect_all(spool, 0, 2 * MANY);
    spool_close(spool, NULL);
}

static void a_reader_goes_on_where_another_stopped(void **state)
{
    struct spool *spool = numbered_open_good();
    struct spool_reader *reader;
    uint64_t position;

    (void)state;
    numbered_append_range(spool, 0, MANY);
    reader = spool_reader_new(spool, 0);
    numbered_expect_next(reader, 0, 600);
    position = spool_reader_position(reader);
    spool_reader_free(reader);
    reader = spool_reader_new(spool, position);
    numbered_expect_next(reader, 600, MANY);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void only_what_is_synced_is_read(void **state)
{
    struct spool *spool = numbered_open_good();
    struct spool_reader *reader = spool_reader_new(spool, 0);
    struct spool_record record;
    uint64_t end;

    (void)state;
    assert_int_equal(numbered_append(spool, 0, &end), SPOOL_OK);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    assert_false(spool_wait(spool, spool_durable(spool), 1));
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    numbered_expect_next(reader, 0, 1);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void the_syncer_syncs_in_time(void **state)
{
    struct spool *spool;
    uint64_t end, before;

    (void)state;
    numbered.options.sync_ms = 5;
    spool = numbered_open_good();
    before = spool_durable(spool);
    assert_int_equal(numbered_append(spool, 0, &end), SPOOL_OK);
    assert_true(spool_wait(spool, before, 100000));
    numbered_expect_all(spool, 0, 1);
    spool_close(spool, NULL);
}

static int spool_file; /* that records go to now */
static atomic_bool spare_is_slow;

static int fdatasync_with_slow_spare(int file)
{
    while (file != spool_file && atomic_load(&spare_is_slow))
        usleep(1000);
    return fdatasync(file);
}

/* Has the keeper at work on a spare whose zeros take for ever to be written. */
static void make_spare_slowly(struct spool *spool)
{
    bool preparing = false;

    atomic_store(&spare_is_slow, true);
    pthread_mutex_lock(&spool->mutex);
    while (!spool->spare)
        pthread_cond_wait(&spool->changed, &spool->mutex);
    spool_file = spool->current;
    spool->io.fdatasync = fdatasync_with_slow_spare;
    spool->spare = false;
    pthread_cond_signal(&spool->work);
    pthread_mutex_unlock(&spool->mutex);
    while (!preparing) {
        usleep(1000);
        pthread_mutex_lock(&spool->mutex);
        preparing = spool->preparing;
        pthread_mutex_unlock(&spool->mutex);
    }
}

static void no_sync_waits_for_a_spare(void **state)
{
    struct spool *spool;
    uint64_t end, before;
    bool in_time;

    (void)state;
    numbered.options.sync_ms = 5;
    spool = numbered_open_good();
    make_spare_slowly(spool);
    before = spool_durable(spool);
    assert_int_equal(numbered_append(spool, 0, &end), SPOOL_OK);
    in_time = spool_wait(spool, before, 100000);
    atomic_store(&spare_is_slow, false);
    assert_true(in_time);
    numbered_expect_all(spool, 0, 1);
    spool_close(spool, NULL);
}

static void odd_payloads_are_refused(void **state)
{
    struct spool *spool = numbered_open_good();
    char *big = calloc(1, SPOOL_RECORD_MAX + 1);
    uint64_t end;

    (void)state;
    assert_int_equal(spool_append(spool, 1, 1, slice_of("", 0), &end), SPOOL_FAILED);
    assert_int_equal(spool_append(spool, 1, 1, slice_of(big, SPOOL_RECORD_MAX + 1), &end), SPOOL_FAILED);
    assert_int_equal(spool_append(spool, 1, 1, slice_of(big, SEGMENT), &end), SPOOL_FAILED);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(spool_sync(spool, end + 8), SPOOL_FAILED);
    numbered_append_range(spool, 0, 1);
    numbered_expect_all(spool, 0, 1);
    free(big);
    spool_close(spool, NULL);
}

static void full_at_the_cap_and_well_after_release(void **state)
{
    struct spool *spool;
    uint64_t end = 0, last = 0;
    int count = 0;

    (void)state;
    numbered.options.max_bytes = 5 * SEGMENT;
    spool = numbered_open_good();
    while (numbered_append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(numbered_append(spool, 49, &end), SPOOL_FULL);
    assert_false(spool_writable(spool));
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    numbered_expect_all(spool, 0, count);
    spool_release(spool, last);
    numbered_append_range(spool, count, count + 10);
    assert_true(spool_writable(spool));
    spool_close(spool, NULL);
}

static void what_was_loaded_before_a_start_makes_way(void **state)
{
    struct spool *spool;
    uint64_t end;
    int count = 0;

    (void)state;
    numbered.options.max_bytes = 5 * SEGMENT;
    spool = numbered_open_good();
    while (numbered_append(spool, count, &end) == SPOOL_OK)
        count++;
    spool_sync(spool, spool_end(spool));
    spool_release(spool, spool_end(spool));
    spool_close(spool, NULL);
    spool = numbered_open_good();
    numbered_append_range(spool, count, count + MANY / 10);
    assert_true(spool_gone(spool) > 0);
    spool_close(spool, NULL);
}

static void what_is_kept_can_be_read_again(void **state)
{
    struct spool *spool = numbered_open_good();
    uint64_t end = numbered_append_range(spool, 0, MANY);

    (void)state;
    spool_release(spool, end);
    numbered_append_range(spool, MANY, MANY + 10);
    numbered_expect_all(spool, 0, MANY + 10);
    spool_close(spool, NULL);
}

/* The database was restored to an earlier time: what it lost is not taken away when room gets scarce. */
static void a_release_can_be_taken_back(void **state)
{
    struct spool *spool;
    uint64_t end, early;

    (void)state;
    numbered.options.max_bytes = 8 * SEGMENT;
    spool = numbered_open_good();
    early = numbered_append_range(spool, 0, 100);
    end = numbered_append_range(spool, 100, 200);
    spool_release(spool, end);
    spool_release(spool, early);
    for (int n = 200; numbered_append(spool, n, &end) == SPOOL_OK; n++)
        ;
    assert_true(spool_first(spool) <= early);
    spool_release(spool, spool_end(spool));
    numbered_append_range(spool, 0, 10);
    assert_true(spool_first(spool) > early);
    spool_close(spool, NULL);
}

/* A segment without records goes as others do, and nobody shall be told that something is lost. */
static void an_empty_spool_that_forgets_has_lost_nothing(void **state)
{
    struct spool *spool = numbered_open_good();
    uint64_t end;

    (void)state;
    assert_true(spool_part(spool, &end));
    assert_true(spool_erase(spool, end));
    assert_int_equal(spool_gone(spool), 0);
    end = numbered_append_range(spool, 0, 10);
    assert_true(spool_part(spool, &end));
    assert_true(spool_erase(spool, end));
    assert_int_equal(spool_gone(spool), end);
    spool_close(spool, NULL);
}

static void append_until_killed(int report)
{
    struct spool *spool = numbered_open();
    uint64_t end;

    for (int n = 0; spool; n++) {
        if (numbered_append(spool, n, &end) != SPOOL_OK)
            break;
        if (n % 7 == 0 && (spool_sync(spool, end) != SPOOL_OK || write(report, &n, sizeof n) != sizeof n))
            break;
    }
    _exit(1);
}

static void a_killed_process_loses_nothing_synced(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        int report[2], last = -1, n;
        struct spool *spool;
        struct spool_reader *reader;
        struct spool_record record;
        pid_t child;

        folder_remove(numbered.folder);
        assert_int_equal(mkdir(numbered.folder, 0700), 0);
        assert_int_equal(pipe(report), 0);
        child = fork();
        if (child == 0)
            append_until_killed(report[1]);
        close(report[1]);
        for (int seen = 0; seen < 20 + round * 7; seen++)
            assert_int_equal(read(report[0], &last, sizeof last), sizeof last);
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        while (read(report[0], &n, sizeof n) == sizeof n)
            last = n;
        close(report[0]);

        spool = numbered_open_good();
        reader = spool_reader_new(spool, 0);
        for (n = 0; spool_reader_next(reader, &record) == SPOOL_READ_RECORD; n++)
            assert_int_equal(numbered_read(&record), n);
        assert_true(n > last);
        spool_reader_free(reader);
        spool_close(spool, NULL);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, numbered_set_up, numbered_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back_over_segments_and_restarts),
        TEST(a_reader_goes_on_where_another_stopped),
        TEST(only_what_is_synced_is_read),
        TEST(the_syncer_syncs_in_time),
        TEST(no_sync_waits_for_a_spare),
        TEST(odd_payloads_are_refused),
        TEST(full_at_the_cap_and_well_after_release),
        TEST(what_was_loaded_before_a_start_makes_way),
        TEST(what_is_kept_can_be_read_again),
        TEST(a_release_can_be_taken_back),
        TEST(an_empty_spool_that_forgets_has_lost_nothing),
        TEST(a_killed_process_loses_nothing_synced),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
