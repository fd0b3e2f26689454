/* SPDX-License-Identifier: BSD-2-Clause */
/* a spool seen from outside: whole, beside its writer, damaged, torn, and what the database has of it */

#include "common/spool.h"
#include "common/spool_walk.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 4096, PAYLOAD = 100, RECORD_SIZE = 120 };

static char folder[PATH_SIZE];
static struct spool *spool;

static int setup(void **state)
{
    struct spool_options options = {.directory = folder, .segment_bytes = SEGMENT, .max_bytes = 1 << 20, .keep_s = 3600};
    struct buf said;

    (void)state;
    folder_make(folder);
    buf_init(&said, 4096);
    spool = spool_open(&options, &said, &said);
    buf_free(&said);
    return spool ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    spool_close(spool, NULL);
    folder_remove(folder);
    return 0;
}

static uint64_t append(int count)
{
    char payload[PAYLOAD];
    uint64_t end = 0;

    memset(payload, 0, sizeof payload);
    payload[12] = 77; /* the time of an answer */
    for (int n = 0; n < count; n++)
        assert_int_equal(spool_append(spool, 3, 1, slice_of(payload, sizeof payload), &end), SPOOL_OK);
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    return end;
}

static struct spool_walk walk_it(void)
{
    struct spool_walk walk;
    struct buf error;

    buf_init(&error, 1024);
    assert_true(spool_walk_open(&walk, folder, &error));
    buf_free(&error);
    return walk;
}

static struct spool_walk_report report_of(const struct spool_walk *walk, size_t n)
{
    struct spool_walk_report report;

    spool_walk_segment(walk, n, NULL, NULL, &report);
    return report;
}

static void write_at(uint64_t segment, off_t at, const char *bytes, size_t len)
{
    char name[SPOOL_NAME_MAX], path[PATH_SIZE + SPOOL_NAME_MAX];
    int file;

    spool_segment_name(segment, name);
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = open(path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, len, at), len);
    close(file);
}

static void all_records_are_seen_beside_the_writer(void **state)
{
    uint64_t end = append(100);
    struct spool_walk walk = walk_it();
    size_t records = 0;

    (void)state;
    assert_true(walk.segments > 2);
    for (size_t n = 0; n < walk.segments; n++) {
        struct spool_walk_report report = report_of(&walk, n);

        assert_int_equal(report.end, SPOOL_WALK_GOOD);
        records += report.records;
        if (n + 1 == walk.segments)
            assert_int_equal(report.segment.end, end);
    }
    assert_int_equal(records, 100);
    spool_walk_close(&walk);
}

static void waiting_is_what_is_behind_the_note(void **state)
{
    uint64_t end = append(98);
    struct spool_walk walk = walk_it();

    (void)state;
    assert_int_equal(spool_walk_loaded(&walk), 0);
    assert_int_equal(spool_walk_waiting(&walk, 0).bytes, 98 * RECORD_SIZE);
    spool_release(spool, end - 3 * RECORD_SIZE);
    assert_int_equal(spool_walk_loaded(&walk), end - 3 * RECORD_SIZE);
    assert_int_equal(spool_walk_waiting(&walk, end - 3 * RECORD_SIZE).bytes, 3 * RECORD_SIZE);
    assert_int_equal(spool_walk_waiting(&walk, 0).oldest_us, 77);
    assert_int_equal(spool_walk_waiting(&walk, end).bytes, 0);
    assert_int_equal(spool_walk_waiting(&walk, end).oldest_us, 0);
    spool_walk_close(&walk);
}

static void one_bit_is_found_where_its_record_begins(void **state)
{
    struct spool_walk walk;
    struct spool_walk_report report;

    (void)state;
    append(100);
    walk = walk_it();
    write_at(walk.start[1], SPOOL_HEADER_BYTES + 5 * RECORD_SIZE + 50, "y", 1);
    report = report_of(&walk, 1);
    assert_int_equal(report.end, SPOOL_WALK_BAD);
    assert_int_equal(report.records, 5);
    assert_int_equal(report.segment.end - report.segment.start, SPOOL_HEADER_BYTES + 5 * RECORD_SIZE);
    assert_int_equal(report_of(&walk, 0).end, SPOOL_WALK_GOOD);
    assert_int_equal(report_of(&walk, 2).end, SPOOL_WALK_GOOD);
    spool_walk_close(&walk);
}

static void zeros_where_records_were_are_bad(void **state)
{
    static const char zeros[RECORD_SIZE];
    struct spool_walk walk;

    (void)state;
    append(100);
    walk = walk_it();
    write_at(walk.start[0], SPOOL_HEADER_BYTES + 2 * RECORD_SIZE, zeros, sizeof zeros);
    assert_int_equal(report_of(&walk, 0).end, SPOOL_WALK_BAD);
    assert_int_equal(report_of(&walk, 0).records, 2);
    spool_walk_close(&walk);
}

static void bad_header_is_told(void **state)
{
    struct spool_walk walk;

    (void)state;
    append(100);
    walk = walk_it();
    write_at(walk.start[1], 20, "zz", 2);
    assert_int_equal(report_of(&walk, 1).end, SPOOL_WALK_BAD);
    assert_true(report_of(&walk, 1).headless);
    spool_walk_close(&walk);
}

static void torn_tail_is_no_damage_but_a_hole_is(void **state)
{
    uint64_t end = append(3);
    struct spool_walk walk = walk_it();

    (void)state;
    write_at(walk.start[0], (off_t)(end - walk.start[0]), "\x40\x00\x00\x00torn", 8);
    assert_int_equal(report_of(&walk, 0).end, SPOOL_WALK_TORN);
    assert_int_equal(report_of(&walk, 0).records, 3);
    write_at(walk.start[0], SPOOL_HEADER_BYTES + RECORD_SIZE + 40, "y", 1);
    assert_int_equal(report_of(&walk, 0).end, SPOOL_WALK_BAD);
    assert_int_equal(report_of(&walk, 0).records, 1);
    spool_walk_close(&walk);
}

static void deleted_meanwhile_is_gone(void **state)
{
    struct spool_walk walk;
    char name[SPOOL_NAME_MAX];

    (void)state;
    append(100);
    walk = walk_it();
    spool_segment_name(walk.start[0], name);
    assert_int_equal(unlinkat(walk.directory, name, 0), 0);
    assert_int_equal(report_of(&walk, 0).end, SPOOL_WALK_GONE);
    spool_walk_close(&walk);
}

/* A folder belongs to its daemon, and we may be root. */
static void what_is_no_file_keeps_nobody_waiting(void **state)
{
    struct spool_walk walk;
    char name[SPOOL_NAME_MAX];

    (void)state;
    append(1);
    spool_segment_name(1ULL << 40, name);
    walk = walk_it();
    assert_int_equal(mkfifoat(walk.directory, name, 0600), 0);
    spool_walk_close(&walk);
    walk = walk_it();
    alarm(5);
    assert_int_equal(report_of(&walk, walk.segments - 1).end, SPOOL_WALK_FAILED);
    assert_int_equal(spool_walk_loaded(&walk), 0);
    alarm(0);
    spool_walk_close(&walk);
}

static bool count_folder(void *arg, const char *path)
{
    size_t *seen = arg;

    assert_null(strpbrk(path + strlen(folder), "\"{"));
    return ++*seen < 100;
}

static void make_spool(const char *name)
{
    char path[2 * PATH_SIZE];
    int file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/%s/identity", folder, name);
    file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
}

static void a_daemon_s_folder_leads_to_its_shards_only(void **state)
{
    char path[2 * PATH_SIZE];
    struct buf error;
    size_t seen = 0;

    (void)state;
    make_spool("pixeld");
    make_spool("pixeld/shard-1");
    make_spool("pixeld/x\"} 1{y=\"");
    for (int n = 2; n < 8; n++) {
        snprintf(path, sizeof path, "%s/pixeld/shard-%d", folder, n);
        assert_int_equal(symlink(".", path), 0);
    }
    buf_init(&error, 1024);
    assert_true(spool_walk_folders(folder, count_folder, &seen, &error));
    assert_int_equal(seen, 8);
    buf_free(&error);
    snprintf(path, sizeof path, "%s/pixeld", folder);
    folder_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_records_are_seen_beside_the_writer, setup, teardown),
        cmocka_unit_test_setup_teardown(waiting_is_what_is_behind_the_note, setup, teardown),
        cmocka_unit_test_setup_teardown(one_bit_is_found_where_its_record_begins, setup, teardown),
        cmocka_unit_test_setup_teardown(zeros_where_records_were_are_bad, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_header_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(torn_tail_is_no_damage_but_a_hole_is, setup, teardown),
        cmocka_unit_test_setup_teardown(deleted_meanwhile_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_file_keeps_nobody_waiting, setup, teardown),
        cmocka_unit_test_setup_teardown(a_daemon_s_folder_leads_to_its_shards_only, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
