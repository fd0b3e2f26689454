/* SPDX-License-Identifier: BSD-2-Clause */
/* the spool on a disk that fails or is full, with many threads, and every state that its folder goes through */

#include "tests/unit/numbered_spool.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

static atomic_int syncs_to_fail, writes_to_fail, syncs_done, fail_every;

static int failing_fdatasync(int file)
{
    (void)file;
    syncs_done++;
    if (syncs_to_fail > 0 || (fail_every && syncs_done % fail_every == 0)) {
        syncs_to_fail -= syncs_to_fail > 0;
        errno = EIO;
        return -1;
    }
    return fdatasync(file);
}

static ssize_t failing_pwrite(int file, const void *bytes, size_t len, off_t at)
{
    if (writes_to_fail > 0) {
        writes_to_fail--;
        if (len > 8)
            return pwrite(file, bytes, 8, at);
        errno = ENOSPC;
        return -1;
    }
    return pwrite(file, bytes, len, at);
}

static struct spool *open_failing(void)
{
    struct spool *spool = numbered_open_good();

    pthread_mutex_lock(&spool->mutex);
    while (spool->preparing || !spool->spare) /* so that failures hit what the test means */
        pthread_cond_wait(&spool->changed, &spool->mutex);
    spool->io = (struct spool_io){failing_pwrite, failing_fdatasync};
    pthread_mutex_unlock(&spool->mutex);
    syncs_to_fail = writes_to_fail = fail_every = syncs_done = 0;
    return spool;
}

static void a_close_tells_how_much_is_lost(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;
    size_t lost;

    (void)state;
    for (int n = 0; n < 10; n++)
        assert_int_equal(spool_append(spool, 1, 1, slice_str("a record"), &end), SPOOL_OK);
    syncs_to_fail = writes_to_fail = 1000;
    assert_int_not_equal(spool_close(spool, &lost), SPOOL_OK);
    assert_int_equal(lost, 10);
    syncs_to_fail = writes_to_fail = 0;
    spool = numbered_open_good();
    numbered_append_range(spool, 10, 12);
    assert_int_equal(spool_close(spool, &lost), SPOOL_OK);
    assert_int_equal(lost, 0);
}

static void a_failed_sync_writes_the_records_anew(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;

    (void)state;
    numbered_append_range(spool, 0, 5);
    for (int n = 5; n < 9; n++)
        assert_int_equal(numbered_append(spool, n, &end), SPOOL_OK);
    syncs_to_fail = 1;
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    assert_int_equal(spool->segments, 2);
    numbered_expect_all(spool, 0, 9);
    numbered_append_range(spool, 9, 12);
    spool_close(spool, NULL);
    /* the abandoned segment still holds records 5 to 8, whole and sealed: they must not come twice */
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    numbered_expect_all(spool, 0, 12);
    spool_close(spool, NULL);
}

static void a_disk_that_stays_bad_fails_until_it_is_well(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end, other;

    (void)state;
    numbered_append_range(spool, 0, 5);
    assert_int_equal(numbered_append(spool, 5, &end), SPOOL_OK);
    syncs_to_fail = 1000;
    assert_int_equal(spool_sync(spool, end), SPOOL_FAILED);
    assert_int_equal(errno, EIO);
    assert_int_equal(numbered_append(spool, 6, &other), SPOOL_FAILED);
    assert_false(spool_writable(spool));
    numbered_expect_all(spool, 0, 5);
    syncs_to_fail = 0;
    spool_wait(spool, end, 250); /* it is not tried again at once */
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    numbered_append_range(spool, 6, 9);
    assert_true(spool_writable(spool));
    numbered_expect_all(spool, 0, 9);
    spool_close(spool, NULL);
}

static void a_short_write_leaves_no_record(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;

    (void)state;
    numbered_append_range(spool, 0, 5);
    writes_to_fail = 1;
    assert_int_equal(numbered_append(spool, 5, &end), SPOOL_FULL);
    assert_int_equal(errno, ENOSPC);
    assert_false(spool_writable(spool));
    numbered_append_range(spool, 6, 7);
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    spool_close(spool, NULL);
}

static void a_failing_turn_keeps_all(void **state)
{
    struct spool *spool = open_failing();
    int count = 0;
    uint64_t end;

    (void)state;
    while (spool->segments == 1) {
        syncs_to_fail = 1; /* only the turn syncs */
        assert_int_equal(numbered_append(spool, count++, &end), SPOOL_OK);
    }
    syncs_to_fail = 0;
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    numbered_expect_all(spool, 0, count);
    spool_close(spool, NULL);
}

static void a_full_disk_is_full_until_it_is_freed(void **state)
{
    struct spool *spool;
    uint64_t end, last = 0;
    int count = 0;

    (void)state;
    if (mount("none", numbered.folder, "tmpfs", 0, "size=64k") != 0)
        skip();
    numbered.options.keep_s = 0;
    spool = numbered_open_good();
    while (numbered_append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(numbered_append(spool, 49, &end), SPOOL_FULL);
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    numbered_expect_all(spool, 0, count);
    assert_int_equal(mount("none", numbered.folder, "tmpfs", MS_REMOUNT, "size=640k"), 0);
    numbered_append_range(spool, count, count + MANY);
    numbered_expect_all(spool, 0, count + MANY);
    spool_close(spool, NULL);
    assert_int_equal(umount(numbered.folder), 0);
}

static void what_is_kept_makes_way_on_a_full_disk(void **state)
{
    struct spool *spool;
    uint64_t end, last = 0;
    int count = 0;

    (void)state;
    if (mount("none", numbered.folder, "tmpfs", 0, "size=64k") != 0)
        skip();
    spool = numbered_open_good();
    while (numbered_append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    spool_release(spool, last);
    numbered_append_range(spool, count, count + 200);
    assert_true(spool_gone(spool) > 0 && spool_first(spool) < last); /* no more than it takes */
    spool_close(spool, NULL);
    assert_int_equal(umount(numbered.folder), 0);
}

/* threads */

enum { WRITERS = 8, EACH = 500 };

/* A failing disk may refuse a record; then it is not there, and may be brought again. */
static bool may_try_again(struct spool *spool)
{
    spool_wait(spool, UINT64_MAX, 10);
    return fail_every;
}

static bool sync_at_last(struct spool *spool, uint64_t end)
{
    while (spool_sync(spool, end) != SPOOL_OK)
        if (!may_try_again(spool))
            return false;
    return spool_durable(spool) >= end;
}

static void *write_some(void *arg)
{
    static atomic_int numbers;
    struct spool *spool = arg;
    int writer = numbers++ % WRITERS;
    char text[40];
    uint64_t end;

    for (int n = 0; n < EACH; n++) {
        int len = snprintf(text, sizeof text, "%d %d", writer, n);

        while (spool_append(spool, 1, 1, slice_of(text, (size_t)len), &end) != SPOOL_OK)
            if (!may_try_again(spool))
                return "append";
        if (n % 5 == 0 && !sync_at_last(spool, end))
            return "sync";
    }
    return sync_at_last(spool, end) ? NULL : "last sync";
}

/* Reads until all have come, each writer's in its order and once. */
static void read_all_of(struct spool *spool)
{
    struct spool_reader *reader = spool_reader_new(spool, 0);
    struct spool_record record;
    int next[WRITERS] = {0}, total = 0, idle = 0;

    while (total < WRITERS * EACH) {
        enum spool_read read = spool_reader_next(reader, &record);
        char text[40], *rest;
        long who;

        if (read == SPOOL_READ_END) {
            idle = spool_wait(spool, spool_reader_position(reader), 1000) ? 0 : idle + 1;
            assert_in_range(idle, 0, 30); /* a writer has given up */
            continue;
        }
        assert_int_equal(read, SPOOL_READ_RECORD);
        snprintf(text, sizeof text, "%.*s", SLICE_ARG(record.payload));
        who = strtol(text, &rest, 10);
        assert_in_range(who, 0, WRITERS - 1);
        assert_int_equal(strtol(rest, NULL, 10), next[who]++);
        if (++total % 100 == 0)
            spool_release(spool, record.end);
    }
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
}

static void write_and_read_at_once(struct spool *spool)
{
    pthread_t writer[WRITERS];

    for (int n = 0; n < WRITERS; n++)
        assert_int_equal(pthread_create(&writer[n], NULL, write_some, spool), 0);
    read_all_of(spool);
    for (int n = 0; n < WRITERS; n++) {
        void *said;

        pthread_join(writer[n], &said);
        assert_null(said);
    }
}

static void threads_share_syncs_and_lose_nothing(void **state)
{
    struct spool *spool = open_failing();

    (void)state;
    write_and_read_at_once(spool);
    assert_true(syncs_done < WRITERS * (EACH / 5 + 1) + 200);
    spool_close(spool, NULL);
}

static void threads_lose_nothing_on_a_failing_disk(void **state)
{
    struct spool *spool;

    (void)state;
    numbered.options.sync_ms = 5;
    spool = open_failing();
    fail_every = 7; /* each time it meets a sync, a turn or the making of a spare */
    write_and_read_at_once(spool);
    fail_every = 0;
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    spool_close(spool, NULL);
}

/* every state that the folder goes through */

enum { STATES_MAX = 600 };

static char states[PATH_SIZE];
static struct {
    pthread_mutex_t mutex;
    bool on;
    int count;
    int synced;               /* records that spool_sync() has answered for */
    int at_least[STATES_MAX]; /* of each state: what was synced then */
} shot = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void state_path(int n, char path[2 * PATH_SIZE])
{
    snprintf(path, 2 * PATH_SIZE, "%s/%d", states, n);
}

static void state_keep(void)
{
    char path[2 * PATH_SIZE];

    pthread_mutex_lock(&shot.mutex);
    if (shot.on && shot.count < STATES_MAX) {
        state_path(shot.count, path);
        if (folder_copy(numbered.folder, path))
            shot.at_least[shot.count++] = shot.synced;
    }
    pthread_mutex_unlock(&shot.mutex);
}

static ssize_t shooting_pwrite(int file, const void *bytes, size_t len, off_t at)
{
    ssize_t wrote = len > 24 ? pwrite(file, bytes, len / 2, at) : 0;

    state_keep(); /* with half of the record */
    if (wrote >= 0)
        wrote = pwrite(file, bytes, len, at);
    state_keep();
    return wrote;
}

static int shooting_fdatasync(int file)
{
    int result = failing_fdatasync(file);

    state_keep();
    return result;
}

/* Opened as what it is, a copy: its records are those of the original, in order, once, and all that was
 * synced. */
static void expect_state(int n)
{
    char path[2 * PATH_SIZE];
    struct spool *spool;
    struct spool_reader *reader;
    struct spool_record record;
    enum spool_read read;
    int count = 0;

    state_path(n, path);
    numbered.options.directory = path;
    spool = numbered_open_good();
    reader = spool_reader_new_inherited(spool, 0);
    while ((read = spool_reader_next(reader, &record)) == SPOOL_READ_RECORD)
        assert_int_equal(numbered_read(&record), count++);
    assert_int_equal(read, SPOOL_READ_END);
    assert_true(count >= shot.at_least[n]);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void every_state_of_the_folder_can_be_recovered(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;

    (void)state;
    folder_make(states);
    shot.count = shot.synced = 0;
    shot.on = true;
    pthread_mutex_lock(&spool->mutex);
    spool->io = (struct spool_io){shooting_pwrite, shooting_fdatasync};
    pthread_mutex_unlock(&spool->mutex);
    for (int n = 0; n < 130; n++) {
        if (n % 40 == 20)
            syncs_to_fail = 1;
        assert_int_equal(numbered_append(spool, n, &end), SPOOL_OK);
        if (n % 5 == 0) {
            assert_int_equal(spool_sync(spool, end), SPOOL_OK);
            pthread_mutex_lock(&shot.mutex);
            shot.synced = n + 1;
            pthread_mutex_unlock(&shot.mutex);
        }
    }
    pthread_mutex_lock(&shot.mutex);
    shot.on = false;
    pthread_mutex_unlock(&shot.mutex);
    spool_close(spool, NULL);
    assert_true(shot.count > 250 && shot.count < STATES_MAX);
    for (int n = 0; n < shot.count; n++)
        expect_state(n);
    folder_remove(states);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, numbered_set_up, numbered_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_close_tells_how_much_is_lost),
        TEST(a_failed_sync_writes_the_records_anew),
        TEST(a_disk_that_stays_bad_fails_until_it_is_well),
        TEST(a_short_write_leaves_no_record),
        TEST(a_failing_turn_keeps_all),
        TEST(a_full_disk_is_full_until_it_is_freed),
        TEST(what_is_kept_makes_way_on_a_full_disk),
        TEST(threads_share_syncs_and_lose_nothing),
        TEST(threads_lose_nothing_on_a_failing_disk),
        TEST(every_state_of_the_folder_can_be_recovered),
    };

    return cmocka_run_group_tests_name("spool_disk", tests, NULL, NULL);
}
