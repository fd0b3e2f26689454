/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * the spool after a crash at any moment: every prefix of its writes is replayed, as a killed process leaves it and as a
 * machine does that lost what was not synced, and opened again
 */

#include "common/spool.h"
#include "tests/support/disk_log.h"
#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 4096, RECORDS = 260, LOTS = 3 };

static char folder[PATH_SIZE];
static struct spool_options options;

static int setup(void **state)
{
    (void)state;
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0); /* thousands of folders are made */
    folder_make(folder);
    options = (struct spool_options){
        .directory = folder, .segment_bytes = SEGMENT, .max_bytes = 1 << 20, .keep_s = 0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(folder);
    disk_log_free();
    return 0;
}

/* What the spool said when it was opened; for messages. */
static char said[2000];

static struct spool *open_it(void)
{
    struct buf warning, error;
    struct spool *spool;

    buf_init(&warning, sizeof said / 2);
    buf_init(&error, sizeof said / 2);
    spool = spool_open(&options, &warning, &error);
    snprintf(said, sizeof said, "%s%s", buf_text(&warning), buf_text(&error));
    buf_free(&warning);
    buf_free(&error);
    return spool;
}

static enum spool_result append(struct spool *spool, int number, uint64_t *end)
{
    char text[100];
    int len = snprintf(text, sizeof text, "record %d %.*s", number, number * 7 % 50,
                       "..................................................");

    return spool_append(spool, 3, 1, slice_of(text, (size_t)len), end);
}

static int number_of(const struct spool_record *record)
{
    char text[120];

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(record->payload));
    return strncmp(text, "record ", 7) == 0 ? (int)strtol(text + 7, NULL, 10) : -1;
}

/* --- recording */

/* Appends; now and then syncs, releases what is old enough, and meets a failing disk. */
static void live(struct spool *spool)
{
    struct disk_promise promise = {.acknowledged = 0};
    uint64_t end = 0, synced = 0;
    int synced_count = 0;

    for (int n = 0; n < RECORDS; n++) {
        assert_int_equal(append(spool, n, &end), SPOOL_OK);
        if (n % 90 == 60)
            disk_log_fail_syncs(1);
        if (n % 6 != 5)
            continue;
        assert_int_equal(spool_sync(spool, end), SPOOL_OK);
        promise.acknowledged = n + 1;
        if (n % 60 == 59 && synced) { /* the database has got what was synced last time */
            promise.released = synced_count;
            promise.position = synced;
        }
        disk_log_promise(promise);
        if (n % 60 == 59) {
            spool_release(spool, promise.position);
            spool_wait(spool, UINT64_MAX, 3); /* for the keeper, who recycles */
            synced = spool_durable(spool);
            synced_count = n + 1;
        }
    }
}

static void record_a_life(void)
{
    struct spool *spool;

    disk_log_begin(folder);
    spool = open_it();
    if (!spool)
        fail_msg("%s", said);
    live(spool);
    assert_int_equal(spool_close(spool, NULL), SPOOL_OK);
    disk_log_end();
}

/* --- replaying */

static const char *const crash_name[] = {"killed", "torn", "data lost", "names lost", "all lost", "some lost"};

struct crash { /* where a failed test was */
    enum disk_crash how;
    size_t operations;
    unsigned seed;
    struct disk_promise promise;
};

static void complain(const struct crash *crash, const char *what, int number)
{
    fail_msg("%s after %zu operations, seed %u; acknowledged %d, released %d: %s %d; %s", crash_name[crash->how],
             crash->operations, crash->seed, crash->promise.acknowledged, crash->promise.released, what, number, said);
}

/* Reads on from what was released: every record follows the one before. Behind the last one read. */
static int read_all(const struct crash *crash, struct spool *spool)
{
    struct spool_reader *reader = spool_reader_new(spool, crash->promise.position);
    bool machine = crash->how != CRASH_KILLED && crash->how != CRASH_TORN;
    int next = crash->promise.released;
    struct spool_record record;
    enum spool_read read;

    while ((read = spool_reader_next(reader, &record)) == SPOOL_READ_RECORD || (read == SPOOL_READ_SKIPPED && machine)) {
        if (read == SPOOL_READ_RECORD && number_of(&record) != next++)
            complain(crash, "out of order", number_of(&record));
    }
    if (read != SPOOL_READ_END)
        complain(crash, "cannot be read, behind record", next);
    spool_reader_free(reader);
    return next;
}

/* Goes on with three records more, and they are there as well. */
static int append_some(const struct crash *crash, struct spool *spool, int next)
{
    uint64_t end = 0;

    for (int n = 0; n < 3; n++)
        if (append(spool, next++, &end) != SPOOL_OK)
            complain(crash, "cannot append", next);
    if (spool_sync(spool, end) != SPOOL_OK)
        complain(crash, "cannot sync", next);
    return next;
}

static void expect_recovery(struct crash *crash)
{
    char path[PATH_SIZE];
    struct spool *spool;
    int next;

    folder_make(path);
    options.directory = path;
    crash->promise = disk_log_rebuild(crash->how, crash->operations, crash->seed, path);
    spool = open_it();
    if (!spool)
        complain(crash, "does not open", 0);
    next = read_all(crash, spool);
    if (next < crash->promise.acknowledged)
        complain(crash, "lost", next);
    next = append_some(crash, spool, next);
    if (read_all(crash, spool) != next)
        complain(crash, "lost what was appended after the crash, before", next);
    spool_close(spool, NULL);
    spool = open_it();
    if (!spool || read_all(crash, spool) != next)
        complain(crash, "lost over a restart, before", next);
    spool_close(spool, NULL);
    folder_remove(path);
}

static void replay(enum disk_crash how, unsigned lots)
{
    record_a_life();
    assert_in_range(disk_log_operations(), RECORDS, 10 * RECORDS);
    for (size_t operations = 0; operations <= disk_log_operations(); operations++)
        for (unsigned lot = 0; lot < lots; lot++) {
            struct crash crash = {.how = how, .operations = operations, .seed = (unsigned)operations * LOTS + lot};

            expect_recovery(&crash);
        }
}

static void a_killed_process_at_every_operation(void **state)
{
    (void)state;
    replay(CRASH_KILLED, 1);
}

static void a_write_cut_in_the_middle(void **state)
{
    (void)state;
    replay(CRASH_TORN, 1);
}

static void a_machine_that_loses_what_was_not_synced(void **state)
{
    (void)state;
    replay(CRASH_DATA_LOST, 1);
}

static void a_machine_that_loses_names(void **state)
{
    (void)state;
    replay(CRASH_NAMES_LOST, 1);
}

static void a_machine_that_loses_both(void **state)
{
    (void)state;
    replay(CRASH_ALL_LOST, 1);
}

static void a_machine_that_loses_any_of_it(void **state)
{
    (void)state;
    replay(CRASH_SOME_LOST, LOTS);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_killed_process_at_every_operation),
        TEST(a_write_cut_in_the_middle),
        TEST(a_machine_that_loses_what_was_not_synced),
        TEST(a_machine_that_loses_names),
        TEST(a_machine_that_loses_both),
        TEST(a_machine_that_loses_any_of_it),
    };

    return cmocka_run_group_tests_name("spool replay", tests, NULL, NULL);
}
