/* SPDX-License-Identifier: BSD-2-Clause */
/* the spool: order and completeness over segments, recovery from every kind of damage, failing disks, copies,
 * threads */

#include "common/spool_private.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEGMENT = 4096, MANY = 1000 };

static struct spool_options options = {.segment_bytes = SEGMENT, .max_bytes = 1 << 24, .keep_s = 3600};
static char folder[PATH_SIZE], warning[2000], failure[2000];

static int setup(void **state)
{
    (void)state;
    folder_make(folder);
    options = (struct spool_options){
        .directory = folder, .segment_bytes = SEGMENT, .max_bytes = 1 << 24, .keep_s = 3600};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* Opens; what it said is in `warning` and `failure`. */
static struct spool *open_it(void)
{
    struct buf said, why;
    struct spool *spool;

    buf_init(&said, sizeof warning - 1);
    buf_init(&why, sizeof failure - 1);
    spool = spool_open(&options, &said, &why);
    snprintf(warning, sizeof warning, "%s", buf_text(&said));
    snprintf(failure, sizeof failure, "%s", buf_text(&why));
    buf_free(&said);
    buf_free(&why);
    return spool;
}

static struct spool *open_good(void)
{
    struct spool *spool = open_it();

    if (!spool)
        fail_msg("%s", failure);
    return spool;
}

static enum spool_result append(struct spool *spool, int number, uint64_t *end)
{
    char text[100];
    int len = snprintf(text, sizeof text, "record %d %.*s", number, number % 50,
                       "..................................................");

    return spool_append(spool, 3, 1, slice_of(text, (size_t)len), end);
}

static uint64_t append_range(struct spool *spool, int from, int to)
{
    uint64_t end = 0;

    for (int n = from; n < to; n++)
        assert_int_equal(append(spool, n, &end), SPOOL_OK);
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    return end;
}

static int number_of(const struct spool_record *record)
{
    char text[120];

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(record->payload));
    assert_memory_equal(text, "record ", 7);
    return (int)strtol(text + 7, NULL, 10);
}

static void expect_next(struct spool_reader *reader, int from, int to)
{
    struct spool_record record;

    for (int n = from; n < to; n++) {
        assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_RECORD);
        assert_int_equal(number_of(&record), n);
        assert_int_equal(record.kind, 3);
        assert_int_equal(record.version, 1);
    }
}

/* All of the spool is exactly the records FROM to TO. */
static void expect_all(struct spool *spool, int from, int to)
{
    struct spool_reader *reader = spool_reader_new(spool, 0);
    struct spool_record record;

    expect_next(reader, from, to);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
}

static void segment_path(struct spool *spool, size_t n, char path[PATH_SIZE])
{
    char name[SPOOL_NAME_MAX];

    spool_segment_name(spool->segment[n]->start, name);
    assert_true(snprintf(path, PATH_SIZE, "%s/%s", folder, name) < PATH_SIZE);
}

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

static void comes_back_over_segments_and_restarts(void **state)
{
    struct spool *spool = open_good();
    uint8_t before[SPOOL_IDENTITY_BYTES], after[SPOOL_IDENTITY_BYTES];
    uint64_t end;

    (void)state;
    spool_identity(spool, before);
    end = append_range(spool, 0, MANY);
    assert_true(spool->segments > 5);
    expect_all(spool, 0, MANY);
    spool_close(spool, NULL);

    spool = open_good();
    assert_string_equal(warning, "");
    assert_true(spool_end(spool) == end && spool_durable(spool) == end);
    spool_identity(spool, after);
    assert_memory_equal(before, after, sizeof before);
    append_range(spool, MANY, 2 * MANY);
    expect_all(spool, 0, 2 * MANY);
    spool_close(spool, NULL);
}

static void a_reader_goes_on_where_another_stopped(void **state)
{
    struct spool *spool = open_good();
    struct spool_reader *reader;
    uint64_t position;

    (void)state;
    append_range(spool, 0, MANY);
    reader = spool_reader_new(spool, 0);
    expect_next(reader, 0, 600);
    position = spool_reader_position(reader);
    spool_reader_free(reader);
    reader = spool_reader_new(spool, position);
    expect_next(reader, 600, MANY);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void only_what_is_synced_is_read(void **state)
{
    struct spool *spool = open_good();
    struct spool_reader *reader = spool_reader_new(spool, 0);
    struct spool_record record;
    uint64_t end;

    (void)state;
    assert_int_equal(append(spool, 0, &end), SPOOL_OK);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    assert_false(spool_wait(spool, spool_durable(spool), 1));
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    expect_next(reader, 0, 1);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void the_syncer_syncs_in_time(void **state)
{
    struct spool *spool;
    uint64_t end, before;

    (void)state;
    options.sync_ms = 5;
    spool = open_good();
    before = spool_durable(spool);
    assert_int_equal(append(spool, 0, &end), SPOOL_OK);
    assert_true(spool_wait(spool, before, 5000));
    expect_all(spool, 0, 1);
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
    options.sync_ms = 5;
    spool = open_good();
    make_spare_slowly(spool);
    before = spool_durable(spool);
    assert_int_equal(append(spool, 0, &end), SPOOL_OK);
    in_time = spool_wait(spool, before, 5000);
    atomic_store(&spare_is_slow, false);
    assert_true(in_time);
    expect_all(spool, 0, 1);
    spool_close(spool, NULL);
}

static void odd_payloads_are_refused(void **state)
{
    struct spool *spool = open_good();
    char *big = calloc(1, SPOOL_RECORD_MAX + 1);
    uint64_t end;

    (void)state;
    assert_int_equal(spool_append(spool, 1, 1, slice_of("", 0), &end), SPOOL_FAILED);
    assert_int_equal(spool_append(spool, 1, 1, slice_of(big, SPOOL_RECORD_MAX + 1), &end), SPOOL_FAILED);
    assert_int_equal(spool_append(spool, 1, 1, slice_of(big, SEGMENT), &end), SPOOL_FAILED);
    assert_int_equal(errno, EMSGSIZE);
    assert_int_equal(spool_sync(spool, end + 8), SPOOL_FAILED);
    append_range(spool, 0, 1);
    expect_all(spool, 0, 1);
    free(big);
    spool_close(spool, NULL);
}

static void a_tail_torn_at_any_byte_is_cut(void **state)
{
    struct spool *spool = open_good();
    uint64_t before = append_range(spool, 0, 3), end = append_range(spool, 3, 4);
    char path[PATH_SIZE];
    uint8_t last[SEGMENT] = {0};
    size_t len = (size_t)(end - before);
    int file;

    (void)state;
    segment_path(spool, 0, path);
    spool_close(spool, NULL);
    file = open(path, O_RDONLY);
    assert_int_equal(pread(file, last, len, (off_t)before), len);
    close(file);
    /* padding is no part of the record: it may be missing */
    for (size_t kept = 0; kept < sizeof(uint32_t) * 4 + strlen("record 3 ..."); kept++) {
        uint8_t torn[SEGMENT] = {0};

        memcpy(torn, last, kept);
        overwrite(path, before, torn, len);
        spool = open_good();
        assert_true(kept == 0 ? warning[0] == '\0' : strstr(warning, "cut a torn record") != NULL);
        assert_true(spool_end(spool) == before);
        expect_all(spool, 0, 3);
        append_range(spool, 3, 4);
        expect_all(spool, 0, 4);
        spool_close(spool, NULL);
    }
}

static void a_torn_tail_is_gone_for_good(void **state)
{
    struct spool *spool = open_good();
    uint64_t end = append_range(spool, 0, 3);
    char path[PATH_SIZE];
    uint8_t junk[500];

    (void)state;
    memset(junk, 0x11, sizeof junk);
    segment_path(spool, 0, path);
    spool_close(spool, NULL);
    overwrite(path, end, junk, sizeof junk);
    spool = open_good();
    assert_non_null(strstr(warning, "cut a torn record"));
    append_range(spool, 3, 4);
    spool_close(spool, NULL);
    spool = open_good();
    assert_string_equal(warning, "");
    expect_all(spool, 0, 4);
    spool_close(spool, NULL);
}

static void a_flipped_bit_is_reported_and_skipped(void **state)
{
    struct spool *spool = open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at;
    int next;

    (void)state;
    at = append_range(spool, 0, 10);
    append_range(spool, 10, MANY);
    segment_path(spool, 0, path);
    flip(path, at + 20);
    reader = spool_reader_new(spool, 0);
    expect_next(reader, 0, 10);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_RECORD);
    assert_true(record.position == spool->segment[1]->start + SPOOL_HEADER_BYTES);
    next = number_of(&record);
    assert_true(next > 10 && next < MANY);
    expect_next(reader, next + 1, MANY);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_flipped_bit_in_the_newest_segment_loses_no_number(void **state)
{
    struct spool *spool = open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at, end;

    (void)state;
    at = append_range(spool, 0, 5);
    end = append_range(spool, 5, 10);
    segment_path(spool, 0, path);
    spool_close(spool, NULL);
    flip(path, at + 17);
    spool = open_good();
    assert_non_null(strstr(warning, "bad bytes at"));
    assert_true(spool_end(spool) > end);
    append_range(spool, 10, 12);
    reader = spool_reader_new(spool, 0);
    expect_next(reader, 0, 5);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    expect_next(reader, 10, 12);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_flip_under_a_running_spool_ends_the_segment(void **state)
{
    struct spool *spool = open_good();
    struct spool_reader *reader;
    struct spool_record record;
    char path[PATH_SIZE];
    uint64_t at = append_range(spool, 0, 5);

    (void)state;
    append_range(spool, 5, 10);
    segment_path(spool, 0, path);
    flip(path, at + 17);
    reader = spool_reader_new(spool, 0);
    expect_next(reader, 0, 5);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_SKIPPED);
    append_range(spool, 10, 12);
    expect_next(reader, 10, 12);
    spool_reader_free(reader);
    spool_close(spool, NULL);
}

static void a_segment_of_another_spool_is_set_aside(void **state)
{
    struct spool *spool = open_good();
    char path[PATH_SIZE];

    (void)state;
    append_range(spool, 0, 5);
    segment_path(spool, 0, path);
    spool_close(spool, NULL);
    flip(path, 20); /* in the identity; the header's checksum no longer holds */
    spool = open_good();
    assert_non_null(strstr(warning, "set aside"));
    assert_true(spool_first(spool) >= SEGMENT);
    append_range(spool, 7, 9);
    expect_all(spool, 7, 9);
    spool_close(spool, NULL);
}

static void a_recycled_segment_revives_nothing(void **state)
{
    struct spool *spool;
    uint64_t end;
    bool recycled = false;

    (void)state;
    options.keep_s = 0;
    spool = open_good();
    for (int n = 0; n < 20 * MANY && !recycled; n += 100) {
        end = append_range(spool, n, n + 100);
        spool_release(spool, end);
        recycled = spool_first(spool) > 3 * SEGMENT;
        if (n % MANY == 0)
            spool_wait(spool, end, 1); /* for the keeper */
    }
    assert_true(recycled);
    end = spool_end(spool);
    spool_close(spool, NULL);
    spool = open_good();
    assert_string_equal(warning, "");
    assert_true(spool_end(spool) == end);
    spool_close(spool, NULL);
}

/* Bytes of an older life, left where new records come: another position, so another seal. */
static void old_bytes_in_a_segment_are_no_records(void **state)
{
    struct spool *spool = open_good();
    uint8_t old[SEGMENT];
    char path[PATH_SIZE];
    uint64_t end;
    int file;

    (void)state;
    append_range(spool, 0, MANY);
    segment_path(spool, 0, path);
    file = open(path, O_RDONLY);
    assert_int_equal(pread(file, old, sizeof old, 0), sizeof old);
    close(file);
    end = spool_end(spool);
    segment_path(spool, spool->segments - 1, path);
    overwrite(path, end - spool_current(spool)->start, old + (end - spool_current(spool)->start),
              SEGMENT - (size_t)(end - spool_current(spool)->start));
    spool_close(spool, NULL);
    spool = open_good();
    assert_non_null(strstr(warning, "cut a torn record"));
    expect_all(spool, 0, MANY);
    spool_close(spool, NULL);
}

static void full_at_the_cap_and_well_after_release(void **state)
{
    struct spool *spool;
    uint64_t end = 0, last = 0;
    int count = 0;

    (void)state;
    options.max_bytes = 5 * SEGMENT;
    spool = open_good();
    while (append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(append(spool, 49, &end), SPOOL_FULL);
    assert_false(spool_writable(spool));
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    expect_all(spool, 0, count);
    spool_release(spool, last);
    append_range(spool, count, count + 10);
    assert_true(spool_writable(spool));
    spool_close(spool, NULL);
}

static void what_was_loaded_before_a_start_makes_way(void **state)
{
    struct spool *spool;
    uint64_t end;
    int count = 0;

    (void)state;
    options.max_bytes = 5 * SEGMENT;
    spool = open_good();
    while (append(spool, count, &end) == SPOOL_OK)
        count++;
    spool_sync(spool, spool_end(spool));
    spool_release(spool, spool_end(spool));
    spool_close(spool, NULL);
    spool = open_good();
    append_range(spool, count, count + MANY / 10);
    assert_true(spool_gone(spool) > 0);
    spool_close(spool, NULL);
}

static void what_is_kept_can_be_read_again(void **state)
{
    struct spool *spool = open_good();
    uint64_t end = append_range(spool, 0, MANY);

    (void)state;
    spool_release(spool, end);
    append_range(spool, MANY, MANY + 10);
    expect_all(spool, 0, MANY + 10);
    spool_close(spool, NULL);
}

/* The database was restored to an earlier time: what it lost is not taken away when room gets scarce. */
static void a_release_can_be_taken_back(void **state)
{
    struct spool *spool;
    uint64_t end, early;

    (void)state;
    options.max_bytes = 8 * SEGMENT;
    spool = open_good();
    early = append_range(spool, 0, 100);
    end = append_range(spool, 100, 200);
    spool_release(spool, end);
    spool_release(spool, early);
    for (int n = 200; append(spool, n, &end) == SPOOL_OK; n++)
        ;
    assert_true(spool_first(spool) <= early);
    spool_release(spool, spool_end(spool));
    append_range(spool, 0, 10);
    assert_true(spool_first(spool) > early);
    spool_close(spool, NULL);
}

static void a_second_open_is_refused_by_name(void **state)
{
    struct spool *spool = open_good();
    char pid[40];

    (void)state;
    assert_null(open_it());
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(failure, folder));
    assert_non_null(strstr(failure, pid));
    spool_close(spool, NULL);
    spool_close(open_good(), NULL);
}

static void a_damaged_identity_stops_the_start(void **state)
{
    static const char *const bad[] = {"", "spoor spool 1\n", "spoor spool 2\n",
                                      "spoor spool 1\nidentity 12\nfirst 0\nmachine x\nfolder 1 1\nfile 1\n"};
    char path[2 * PATH_SIZE];

    (void)state;
    snprintf(path, sizeof path, "%s/identity", folder);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(bad[n], file);
        fclose(file);
        assert_null(open_it());
        assert_non_null(strstr(failure, path));
    }
}

static void a_copy_gets_a_new_identity_and_keeps_the_records(void **state)
{
    struct spool *spool = open_good(), *copy;
    uint8_t original[SPOOL_IDENTITY_BYTES], renewed[SPOOL_IDENTITY_BYTES];
    struct spool_inherited inherited;
    struct spool_reader *reader;
    struct spool_record record;
    char source[PATH_SIZE];
    uint64_t end = append_range(spool, 0, 200);
    struct buf error;

    (void)state;
    spool_identity(spool, original);
    spool_close(spool, NULL);
    memcpy(source, folder, sizeof source);
    folder_make(folder);
    options.directory = folder;
    assert_true(folder_copy(source, folder));
    copy = open_good();
    assert_non_null(strstr(warning, "new identity"));
    spool_identity(copy, renewed);
    assert_memory_not_equal(original, renewed, sizeof original);
    expect_all(copy, 0, 0);
    append_range(copy, 500, 700);
    expect_all(copy, 500, 700);

    assert_true(spool_inherited(copy, &inherited));
    assert_memory_equal(inherited.identity, original, sizeof original);
    assert_true(inherited.end == end);
    reader = spool_reader_new_inherited(copy, 0);
    expect_next(reader, 0, 200);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
    spool_close(copy, NULL);

    copy = open_good();
    assert_string_equal(warning, "");
    expect_all(copy, 500, 700);
    buf_init(&error, 1000);
    assert_true(spool_inherited_settle(copy, &error));
    assert_false(spool_inherited(copy, &inherited));
    spool_close(copy, NULL);

    options.directory = source;
    spool = open_good();
    assert_string_equal(warning, "");
    expect_all(spool, 0, 200);
    spool_close(spool, NULL);
    folder_remove(source);
}

static void renewal_keeps_what_is_not_known_to_be_loaded(void **state)
{
    struct spool *spool = open_good();
    uint8_t before[SPOOL_IDENTITY_BYTES], after[SPOOL_IDENTITY_BYTES];
    uint64_t loaded;
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    loaded = append_range(spool, 0, 100);
    spool_release(spool, loaded);
    append_range(spool, 100, 110);
    spool_close(spool, NULL);
    spool = open_good();
    assert_true(spool_loaded(spool) == loaded);
    append_range(spool, 110, 120);
    spool_identity(spool, before);
    assert_true(spool_renew(spool, &error));
    spool_identity(spool, after);
    assert_memory_not_equal(before, after, sizeof before);
    append_range(spool, 120, 140);
    expect_all(spool, 100, 140);
    spool_close(spool, NULL);
    spool = open_good();
    assert_string_equal(warning, "");
    expect_all(spool, 100, 140);
    spool_close(spool, NULL);
}

/* The note of what is loaded, as it lies in the folder; false when there is none. */
static bool read_note(char note[100])
{
    char path[PATH_SIZE + 10];
    FILE *file;
    bool got;

    snprintf(path, sizeof path, "%s/loaded", folder);
    file = fopen(path, "r");
    got = file && fgets(note, 100, file);
    if (file)
        fclose(file);
    return got;
}

static void write_note(const char *note)
{
    char path[PATH_SIZE + 10];
    FILE *file;

    snprintf(path, sizeof path, "%s/loaded", folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(note, file);
    assert_int_equal(fclose(file), 0);
}

/* A machine died while it was written: part of it is the new one, part the old, and together they may name more. */
static void a_torn_note_of_what_is_loaded_is_not_believed(void **state)
{
    char before[100], after[100];
    struct spool *spool = open_good();
    uint64_t end;

    (void)state;
    end = append_range(spool, 0, 10);
    spool_release(spool, end);
    assert_true(read_note(before));
    end = append_range(spool, 10, 200);
    spool_release(spool, end);
    assert_true(read_note(after));
    spool_close(spool, NULL);
    for (size_t cut = 0; cut <= strlen(after); cut++) {
        char torn[100];
        uint64_t loaded;

        snprintf(torn, sizeof torn, "%.*s%s", (int)cut, after, before + cut);
        write_note(torn);
        spool = open_good();
        loaded = spool_loaded(spool);
        spool_close(spool, NULL);
        assert_true(loaded == 0 || strcmp(torn, before) == 0 || strcmp(torn, after) == 0);
    }
}

/* a failing disk */

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
    struct spool *spool = open_good();

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
    spool = open_good();
    append_range(spool, 10, 12);
    assert_int_equal(spool_close(spool, &lost), SPOOL_OK);
    assert_int_equal(lost, 0);
}

static void a_failed_sync_writes_the_records_anew(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;

    (void)state;
    append_range(spool, 0, 5);
    for (int n = 5; n < 9; n++)
        assert_int_equal(append(spool, n, &end), SPOOL_OK);
    syncs_to_fail = 1;
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    assert_int_equal(spool->segments, 2);
    expect_all(spool, 0, 9);
    append_range(spool, 9, 12);
    spool_close(spool, NULL);
    /* the abandoned segment still holds records 5 to 8, whole and sealed: they must not come twice */
    spool = open_good();
    assert_string_equal(warning, "");
    expect_all(spool, 0, 12);
    spool_close(spool, NULL);
}

static void a_disk_that_stays_bad_fails_until_it_is_well(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end, other;

    (void)state;
    append_range(spool, 0, 5);
    assert_int_equal(append(spool, 5, &end), SPOOL_OK);
    syncs_to_fail = 1000;
    assert_int_equal(spool_sync(spool, end), SPOOL_FAILED);
    assert_int_equal(errno, EIO);
    assert_int_equal(append(spool, 6, &other), SPOOL_FAILED);
    assert_false(spool_writable(spool));
    expect_all(spool, 0, 5);
    syncs_to_fail = 0;
    spool_wait(spool, end, 250); /* it is not tried again at once */
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    append_range(spool, 6, 9);
    assert_true(spool_writable(spool));
    expect_all(spool, 0, 9);
    spool_close(spool, NULL);
}

static void a_short_write_leaves_no_record(void **state)
{
    struct spool *spool = open_failing();
    uint64_t end;

    (void)state;
    append_range(spool, 0, 5);
    writes_to_fail = 1;
    assert_int_equal(append(spool, 5, &end), SPOOL_FULL);
    assert_int_equal(errno, ENOSPC);
    assert_false(spool_writable(spool));
    append_range(spool, 6, 7);
    spool_close(spool, NULL);
    spool = open_good();
    assert_string_equal(warning, "");
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
        assert_int_equal(append(spool, count++, &end), SPOOL_OK);
    }
    syncs_to_fail = 0;
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    expect_all(spool, 0, count);
    spool_close(spool, NULL);
}

static void a_full_disk_is_full_until_it_is_freed(void **state)
{
    struct spool *spool;
    uint64_t end, last = 0;
    int count = 0;

    (void)state;
    if (mount("none", folder, "tmpfs", 0, "size=64k") != 0)
        skip();
    options.keep_s = 0;
    spool = open_good();
    while (append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(append(spool, 49, &end), SPOOL_FULL);
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    expect_all(spool, 0, count);
    assert_int_equal(mount("none", folder, "tmpfs", MS_REMOUNT, "size=640k"), 0);
    append_range(spool, count, count + MANY);
    expect_all(spool, 0, count + MANY);
    spool_close(spool, NULL);
    assert_int_equal(umount(folder), 0);
}

static void what_is_kept_makes_way_on_a_full_disk(void **state)
{
    struct spool *spool;
    uint64_t end, last = 0;
    int count = 0;

    (void)state;
    if (mount("none", folder, "tmpfs", 0, "size=64k") != 0)
        skip();
    spool = open_good();
    while (append(spool, count, &end) == SPOOL_OK) {
        last = end;
        count++;
    }
    assert_int_equal(spool_sync(spool, last), SPOOL_OK);
    spool_release(spool, last);
    append_range(spool, count, count + 200);
    assert_true(spool_gone(spool) > 0 && spool_first(spool) < last); /* no more than it takes */
    spool_close(spool, NULL);
    assert_int_equal(umount(folder), 0);
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
    options.sync_ms = 5;
    spool = open_failing();
    fail_every = 7; /* each time it meets a sync, a turn or the making of a spare */
    write_and_read_at_once(spool);
    fail_every = 0;
    spool_close(spool, NULL);
    spool = open_good();
    assert_string_equal(warning, "");
    spool_close(spool, NULL);
}

/* a process killed */

static void append_until_killed(int report)
{
    struct spool *spool = open_it();
    uint64_t end;

    for (int n = 0; spool; n++) {
        if (append(spool, n, &end) != SPOOL_OK)
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

        folder_remove(folder);
        assert_int_equal(mkdir(folder, 0700), 0);
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

        spool = open_good();
        reader = spool_reader_new(spool, 0);
        for (n = 0; spool_reader_next(reader, &record) == SPOOL_READ_RECORD; n++)
            assert_int_equal(number_of(&record), n);
        assert_true(n > last);
        spool_reader_free(reader);
        spool_close(spool, NULL);
    }
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
        if (folder_copy(folder, path))
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
    options.directory = path;
    spool = open_good();
    reader = spool_reader_new_inherited(spool, 0);
    while ((read = spool_reader_next(reader, &record)) == SPOOL_READ_RECORD)
        assert_int_equal(number_of(&record), count++);
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
        assert_int_equal(append(spool, n, &end), SPOOL_OK);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(comes_back_over_segments_and_restarts),
        TEST(a_reader_goes_on_where_another_stopped),
        TEST(only_what_is_synced_is_read),
        TEST(the_syncer_syncs_in_time),
        TEST(no_sync_waits_for_a_spare),
        TEST(odd_payloads_are_refused),
        TEST(a_tail_torn_at_any_byte_is_cut),
        TEST(a_torn_tail_is_gone_for_good),
        TEST(a_flipped_bit_is_reported_and_skipped),
        TEST(a_flipped_bit_in_the_newest_segment_loses_no_number),
        TEST(a_flip_under_a_running_spool_ends_the_segment),
        TEST(a_segment_of_another_spool_is_set_aside),
        TEST(a_recycled_segment_revives_nothing),
        TEST(old_bytes_in_a_segment_are_no_records),
        TEST(full_at_the_cap_and_well_after_release),
        TEST(what_was_loaded_before_a_start_makes_way),
        TEST(what_is_kept_can_be_read_again),
        TEST(a_release_can_be_taken_back),
        TEST(a_second_open_is_refused_by_name),
        TEST(a_damaged_identity_stops_the_start),
        TEST(a_copy_gets_a_new_identity_and_keeps_the_records),
        TEST(renewal_keeps_what_is_not_known_to_be_loaded),
        TEST(a_torn_note_of_what_is_loaded_is_not_believed),
        TEST(a_close_tells_how_much_is_lost),
        TEST(a_failed_sync_writes_the_records_anew),
        TEST(a_disk_that_stays_bad_fails_until_it_is_well),
        TEST(a_short_write_leaves_no_record),
        TEST(a_failing_turn_keeps_all),
        TEST(a_full_disk_is_full_until_it_is_freed),
        TEST(what_is_kept_makes_way_on_a_full_disk),
        TEST(threads_share_syncs_and_lose_nothing),
        TEST(threads_lose_nothing_on_a_failing_disk),
        TEST(a_killed_process_loses_nothing_synced),
        TEST(every_state_of_the_folder_can_be_recovered),
    };

    return cmocka_run_group_tests_name("spool", tests, NULL, NULL);
}
