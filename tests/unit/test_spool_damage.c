/* SPDX-License-Identifier: BSD-2-Clause */
/* the spool: recovery from torn tails, flipped bits, and bytes that are not its own */

#include "tests/unit/numbered_spool.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void overwrite(const char *path, uint64_t at, const void *bytes, size_t len)
{
    int file = open(path, O_WRONLY);

    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, len, (off_t)at), len);
    close(file);
}

static void flip(const char *path, uint64_t at)
{
    int file = open(path, O_RDWR);
    uint8_t byte;

    assert_int_equal(pread(file, &byte, 1, (off_t)at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, (off_t)at), 1);
    close(file);
}

static void a_tail_torn_at_any_byte_is_cut(void **state)
{
    struct spool *spool = numbered_open_good();
    uint64_t before = numbered_append_range(spool, 0, 3), end = numbered_append_range(spool, 3, 4);
    char path[PATH_SIZE];
    uint8_t last[SEGMENT] = {0};
    size_t len = (size_t)(end - before);
    int file;

    (void)state;
    numbered_segment_path(spool, 0, path);
    spool_close(spool, NULL);
    file = open(path, O_RDONLY);
    assert_int_equal(pread(file, last, len, (off_t)before), len);
    close(file);
    /* padding is no part of the record: it may be missing */
    for (size_t kept = 0; kept < sizeof(uint32_t) * 4 + strlen("record 3 ..."); kept++) {
        uint8_t torn[SEGMENT] = {0};

        memcpy(torn, last, kept);
        overwrite(path, before, torn, len);
        spool = numbered_open_good();
        assert_true(kept == 0 ? numbered.warning[0] == '\0' : strstr(numbered.warning, "cut a torn record") != NULL);
        assert_true(spool_end(spool) == before);
        numbered_expect_all(spool, 0, 3);
        numbered_append_range(spool, 3, 4);
        numbered_expect_all(spool, 0, 4);
        spool_close(spool, NULL);
    }
}

static void a_torn_tail_is_gone_for_good(void **state)
{
    struct spool *spool = numbered_open_good();
    uint64_t end = numbered_append_range(spool, 0, 3);
    char path[PATH_SIZE];
    uint8_t junk[500];

    (void)state;
    memset(junk, 0x11, sizeof junk);
    numbered_segment_path(spool, 0, path);
    spool_close(spool, NULL);
    overwrite(path, end, junk, sizeof junk);
    spool = numbered_open_good();
    assert_non_null(strstr(numbered.warning, "cut a torn record"));
    numbered_append_range(spool, 3, 4);
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    numbered_expect_all(spool, 0, 4);
    spool_close(spool, NULL);
}

static void a_flipped_bit_is_reported_and_skipped(void **state)
{
    struct spool *spool = numbered_open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at;
    int next;

    (void)state;
    at = numbered_append_range(spool, 0, 10);
    numbered_append_range(spool, 10, MANY);
    numbered_segment_path(spool, 0, path);
    flip(path, at + 20);
    reader = spool_reader_new(spool, 0);
    numbered_expect_next(reader, 0, 10);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_RECORD);
    assert_true(record.position == spool->segment[1]->start + SPOOL_HEADER_BYTES);
    next = numbered_read(&record);
    assert_true(next > 10 && next < MANY);
    numbered_expect_next(reader, next + 1, MANY);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_flipped_bit_in_the_newest_segment_loses_no_number(void **state)
{
    struct spool *spool = numbered_open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at, end;

    (void)state;
    at = numbered_append_range(spool, 0, 5);
    end = numbered_append_range(spool, 5, 10);
    numbered_segment_path(spool, 0, path);
    spool_close(spool, NULL);
    flip(path, at + 17);
    spool = numbered_open_good();
    assert_non_null(strstr(numbered.warning, "bad bytes at"));
    assert_true(spool_end(spool) > end);
    numbered_append_range(spool, 10, 12);
    reader = spool_reader_new(spool, 0);
    numbered_expect_next(reader, 0, 5);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    numbered_expect_next(reader, 10, 12);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_flip_under_a_running_spool_ends_the_segment(void **state)
{
    struct spool *spool = numbered_open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at = numbered_append_range(spool, 0, 5);

    (void)state;
    numbered_append_range(spool, 5, 10);
    numbered_segment_path(spool, 0, path);
    flip(path, at + 17);
    reader = spool_reader_new(spool, 0);
    numbered_expect_next(reader, 0, 5);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    numbered_append_range(spool, 10, 12);
    numbered_expect_next(reader, 10, 12);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_segment_of_another_spool_is_set_aside(void **state)
{
    struct spool *spool = numbered_open_good();
    char path[PATH_SIZE];

    (void)state;
    numbered_append_range(spool, 0, 5);
    numbered_segment_path(spool, 0, path);
    spool_close(spool, NULL);
    flip(path, 20); /* in the identity; the header's checksum no longer holds */
    spool = numbered_open_good();
    assert_non_null(strstr(numbered.warning, "set aside"));
    assert_true(spool_first(spool) >= SEGMENT);
    numbered_append_range(spool, 7, 9);
    numbered_expect_all(spool, 7, 9);
    spool_close(spool, NULL);
}

static void a_recycled_segment_revives_nothing(void **state)
{
    struct spool *spool;
    uint64_t end;
    bool recycled = false;

    (void)state;
    numbered.options.keep_s = 0;
    spool = numbered_open_good();
    for (int n = 0; n < 20 * MANY && !recycled; n += 100) {
        end = numbered_append_range(spool, n, n + 100);
        spool_release(spool, end);
        recycled = spool_first(spool) > 3 * SEGMENT;
        if (n % MANY == 0)
            spool_wait(spool, end, 1); /* for the keeper */
    }
    assert_true(recycled);
    end = spool_end(spool);
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    assert_true(spool_end(spool) == end);
    spool_close(spool, NULL);
}

/* Bytes of an older life, left where new records come: another position, so another seal. */
static void old_bytes_in_a_segment_are_no_records(void **state)
{
    struct spool *spool = numbered_open_good();
    uint8_t old[SEGMENT];
    char path[PATH_SIZE];
    uint64_t end;
    int file;

    (void)state;
    numbered_append_range(spool, 0, MANY);
    numbered_segment_path(spool, 0, path);
    file = open(path, O_RDONLY);
    assert_int_equal(pread(file, old, sizeof old, 0), sizeof old);
    close(file);
    end = spool_end(spool);
    numbered_segment_path(spool, spool->segments - 1, path);
    overwrite(path, end - spool_current(spool)->start, old + (end - spool_current(spool)->start),
              SEGMENT - (size_t)(end - spool_current(spool)->start));
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_non_null(strstr(numbered.warning, "cut a torn record"));
    numbered_expect_all(spool, 0, MANY);
    spool_close(spool, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, numbered_set_up, numbered_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tail_torn_at_any_byte_is_cut),
        TEST(a_torn_tail_is_gone_for_good),
        TEST(a_flipped_bit_is_reported_and_skipped),
        TEST(a_flipped_bit_in_the_newest_segment_loses_no_number),
        TEST(a_flip_under_a_running_spool_ends_the_segment),
        TEST(a_segment_of_another_spool_is_set_aside),
        TEST(a_recycled_segment_revives_nothing),
        TEST(old_bytes_in_a_segment_are_no_records),
    };

    return cmocka_run_group_tests_name("spool_damage", tests, NULL, NULL);
}
