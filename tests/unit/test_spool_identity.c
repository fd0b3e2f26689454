/* SPDX-License-Identifier: BSD-2-Clause */
/* the spool: whose a folder is, what a copy of it becomes, and the note of how far it is loaded */

#include "tests/unit/numbered_spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void a_second_open_is_refused_by_name(void **state)
{
    struct spool *spool = numbered_open_good();
    char pid[40];

    (void)state;
    assert_null(numbered_open());
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(numbered.failure, numbered.folder));
    assert_non_null(strstr(numbered.failure, pid));
    spool_close(spool, NULL);
    spool_close(numbered_open_good(), NULL);
}

static void a_damaged_identity_stops_the_start(void **state)
{
    static const char *const bad[] = {"", "spoor spool 1\n", "spoor spool 2\n",
                                      "spoor spool 1\nidentity 12\nfirst 0\nmachine x\nfolder 1 1\nfile 1\n"};
    char path[2 * PATH_SIZE];

    (void)state;
    snprintf(path, sizeof path, "%s/identity", numbered.folder);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(bad[n], file);
        fclose(file);
        assert_null(numbered_open());
        assert_non_null(strstr(numbered.failure, path));
    }
}

static void a_copy_gets_a_new_identity_and_keeps_the_records(void **state)
{
    struct spool *spool = numbered_open_good(), *copy;
    uint8_t original[SPOOL_IDENTITY_BYTES], renewed[SPOOL_IDENTITY_BYTES];
    struct spool_inherited inherited;
    struct spool_reader *reader;
    struct spool_record record;
    char source[PATH_SIZE];
    uint64_t end = numbered_append_range(spool, 0, 200);
    struct buf error;

    (void)state;
    spool_identity(spool, original);
    spool_close(spool, NULL);
    memcpy(source, numbered.folder, sizeof source);
    folder_make(numbered.folder);
    numbered.options.directory = numbered.folder;
    assert_true(folder_copy(source, numbered.folder));
    copy = numbered_open_good();
    assert_non_null(strstr(numbered.warning, "new identity"));
    spool_identity(copy, renewed);
    assert_memory_not_equal(original, renewed, sizeof original);
    numbered_expect_all(copy, 0, 0);
    numbered_append_range(copy, 500, 700);
    numbered_expect_all(copy, 500, 700);

    assert_true(spool_inherited(copy, &inherited));
    assert_memory_equal(inherited.identity, original, sizeof original);
    assert_true(inherited.end == end);
    reader = spool_reader_new_inherited(copy, 0);
    numbered_expect_next(reader, 0, 200);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
    spool_close(copy, NULL);

    copy = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    numbered_expect_all(copy, 500, 700);
    buf_init(&error, 1000);
    assert_true(spool_inherited_settle(copy, &error));
    assert_false(spool_inherited(copy, &inherited));
    spool_close(copy, NULL);

    numbered.options.directory = source;
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    numbered_expect_all(spool, 0, 200);
    spool_close(spool, NULL);
    folder_remove(source);
}

static void renewal_keeps_what_is_not_known_to_be_loaded(void **state)
{
    struct spool *spool = numbered_open_good();
    uint8_t before[SPOOL_IDENTITY_BYTES], after[SPOOL_IDENTITY_BYTES];
    uint64_t loaded;
    struct buf error;

    (void)state;
    buf_init(&error, 1000);
    loaded = numbered_append_range(spool, 0, 100);
    spool_release(spool, loaded);
    numbered_append_range(spool, 100, 110);
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_true(spool_loaded(spool) == loaded);
    numbered_append_range(spool, 110, 120);
    spool_identity(spool, before);
    assert_true(spool_renew(spool, &error));
    spool_identity(spool, after);
    assert_memory_not_equal(before, after, sizeof before);
    numbered_append_range(spool, 120, 140);
    numbered_expect_all(spool, 100, 140);
    spool_close(spool, NULL);
    spool = numbered_open_good();
    assert_string_equal(numbered.warning, "");
    numbered_expect_all(spool, 100, 140);
    spool_close(spool, NULL);
}

/* The note of what is loaded, as it lies in the folder; false when there is none. */
static bool read_note(char note[100])
{
    char path[PATH_SIZE + 10];
    FILE *file;
    bool got;

    snprintf(path, sizeof path, "%s/loaded", numbered.folder);
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

    snprintf(path, sizeof path, "%s/loaded", numbered.folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(note, file);
    assert_int_equal(fclose(file), 0);
}

/* A machine died while it was written: part of it is the new one, part the old, and together they may name more. */
static void a_torn_note_of_what_is_loaded_is_not_believed(void **state)
{
    char before[100], after[100];
    struct spool *spool = numbered_open_good();
    uint64_t end;

    (void)state;
    end = numbered_append_range(spool, 0, 10);
    spool_release(spool, end);
    assert_true(read_note(before));
    end = numbered_append_range(spool, 10, 200);
    spool_release(spool, end);
    assert_true(read_note(after));
    spool_close(spool, NULL);
    for (size_t cut = 0; cut <= strlen(after); cut++) {
        char torn[100];
        uint64_t loaded;

        snprintf(torn, sizeof torn, "%.*s%s", (int)cut, after, before + cut);
        write_note(torn);
        spool = numbered_open_good();
        loaded = spool_loaded(spool);
        spool_close(spool, NULL);
        assert_true(loaded == 0 || strcmp(torn, before) == 0 || strcmp(torn, after) == 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, numbered_set_up, numbered_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_open_is_refused_by_name),
        TEST(a_damaged_identity_stops_the_start),
        TEST(a_copy_gets_a_new_identity_and_keeps_the_records),
        TEST(renewal_keeps_what_is_not_known_to_be_loaded),
        TEST(a_torn_note_of_what_is_loaded_is_not_believed),
    };

    return cmocka_run_group_tests_name("spool_identity", tests, NULL, NULL);
}
