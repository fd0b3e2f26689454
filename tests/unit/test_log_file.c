/* SPDX-License-Identifier: BSD-2-Clause */
/* a log is read once and whole, however it is rotated, and whenever the reader was away */

#include "delivery/log_file.h"
#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

enum { MOST = 1 << 20 };

struct reader {
    char folder[PATH_SIZE];
    char log[PATH_SIZE + 16];
    struct log_file *file;
    struct buf lines; /* all that were read, with a space behind each */
};

static void add_line(void *arg, struct slice line)
{
    struct reader *reader = arg;

    buf_add_slice(&reader->lines, line);
    buf_add_char(&reader->lines, ' ');
}

static void open_again(struct reader *reader)
{
    struct buf error;

    log_file_close(reader->file);
    buf_init(&error, 1000);
    reader->file = log_file_open(reader->log, reader->folder, "bookmark", &error);
    if (!reader->file)
        fail_msg("%s", buf_text(&error));
    buf_free(&error);
}

static int set_up(void **state)
{
    struct reader *reader = calloc(1, sizeof *reader);

    folder_make(reader->folder);
    snprintf(reader->log, sizeof reader->log, "%s/mail.log", reader->folder);
    buf_init(&reader->lines, MOST);
    open_again(reader);
    *state = reader;
    return 0;
}

static int tear_down(void **state)
{
    struct reader *reader = *state;

    log_file_close(reader->file);
    buf_free(&reader->lines);
    folder_remove(reader->folder);
    free(reader);
    return 0;
}

static void write_to(const char *path, const char *text)
{
    FILE *file = fopen(path, "a");

    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static const char *beside(const struct reader *reader, const char *suffix)
{
    static char path[PATH_SIZE + 32];

    snprintf(path, sizeof path, "%s%s", reader->log, suffix);
    return path;
}

/* Reads all there is, saves, and compares with what is new since the last time. */
static void expect(struct reader *reader, const char *lines)
{
    struct buf error;

    buf_init(&error, 1000);
    buf_reset(&reader->lines);
    while (log_file_read(reader->file, MOST, add_line, reader, &error) > 0)
        continue;
    assert_string_equal(buf_text(&error), "");
    assert_string_equal(buf_text(&reader->lines), lines);
    assert_true(log_file_save(reader->file));
    buf_free(&error);
}

static void whole_lines_are_given_once(void **state)
{
    struct reader *reader = *state;

    expect(reader, "");
    write_to(reader->log, "one\ntw");
    expect(reader, "one ");
    write_to(reader->log, "o\r\n\nthree\n");
    expect(reader, "two  three ");
    open_again(reader);
    expect(reader, "");
    write_to(reader->log, "four\n");
    expect(reader, "four ");
}

static void what_was_not_saved_is_read_again(void **state)
{
    struct reader *reader = *state;
    struct buf error;

    buf_init(&error, 1000);
    write_to(reader->log, "one\n");
    expect(reader, "one ");
    write_to(reader->log, "two\n");
    assert_int_equal(log_file_read(reader->file, MOST, add_line, reader, &error), 4);
    buf_free(&error);
    open_again(reader);
    expect(reader, "two ");
}

static void a_line_too_long_is_left_out(void **state)
{
    struct reader *reader = *state;

    write_to(reader->log, "one\n");
    for (int n = 0; n < 300; n++)
        write_to(reader->log, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
                              "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567"
                              "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567");
    write_to(reader->log, "\ntwo\n");
    expect(reader, "one two ");
}

static void the_first_time_old_files_are_read_too(void **state)
{
    struct reader *reader = *state;
    gzFile packed = gzopen(beside(reader, ".2.gz"), "wb");
    struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    gzputs(packed, "zero\none\n");
    gzclose(packed);
    assert_int_equal(utimensat(AT_FDCWD, beside(reader, ".2.gz"), past, 0), 0);
    write_to(beside(reader, ".1"), "two\n");
    write_to(reader->log, "three\n");
    write_to(beside(reader, "er"), "of another program\n");
    open_again(reader);
    expect(reader, "zero one two three ");
}

static void it_follows_a_rename(void **state)
{
    struct reader *reader = *state;

    write_to(reader->log, "one\n");
    expect(reader, "one ");
    assert_int_equal(rename(reader->log, beside(reader, ".1")), 0);
    write_to(beside(reader, ".1"), "two\n"); /* the writer has not noticed yet */
    expect(reader, "two ");
    write_to(reader->log, "three\n");
    expect(reader, "three ");
    open_again(reader);
    write_to(reader->log, "four\n");
    expect(reader, "four ");
}

static void it_follows_a_truncation(void **state)
{
    struct reader *reader = *state;

    write_to(reader->log, "one\ntwo\n");
    expect(reader, "one two ");
    write_to(beside(reader, ".1"), "one\ntwo\nthree\n"); /* the copy, with what came before the truncation */
    assert_int_equal(truncate(reader->log, 0), 0);
    write_to(reader->log, "4\n");
    expect(reader, "three 4 ");
}

static void pack(const char *from, const char *to)
{
    gzFile packed = gzopen(to, "wb");
    FILE *plain = fopen(from, "r");
    int byte;

    while ((byte = getc(plain)) != EOF)
        gzputc(packed, byte);
    fclose(plain);
    gzclose(packed);
    assert_int_equal(unlink(from), 0);
}

static void two_rotations_while_nobody_looks(void **state)
{
    struct reader *reader = *state;
    struct timespec past[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};

    write_to(beside(reader, ".9"), "long ago\n");
    assert_int_equal(utimensat(AT_FDCWD, beside(reader, ".9"), past, 0), 0);
    expect(reader, "");
    write_to(reader->log, "one\n");
    expect(reader, "one ");
    log_file_close(reader->file);
    reader->file = NULL;
    write_to(reader->log, "two\n");
    pack(reader->log, beside(reader, ".2.gz"));
    past[0].tv_sec = past[1].tv_sec = 2000;
    assert_int_equal(utimensat(AT_FDCWD, beside(reader, ".2.gz"), past, 0), 0);
    write_to(beside(reader, ".1"), "three\n");
    write_to(reader->log, "four\n");
    open_again(reader);
    expect(reader, "two three four ");
    open_again(reader);
    expect(reader, "");
}

static void a_log_that_is_gone_is_begun_anew(void **state)
{
    struct reader *reader = *state;

    write_to(reader->log, "one\n");
    expect(reader, "one ");
    log_file_close(reader->file);
    reader->file = NULL;
    assert_int_equal(unlink(reader->log), 0);
    write_to(reader->log, "two\n");
    open_again(reader);
    expect(reader, "two ");
}

static void a_damaged_bookmark_is_told(void **state)
{
    struct reader *reader = *state;
    char path[PATH_SIZE + 16];
    struct buf error;

    snprintf(path, sizeof path, "%s/bookmark", reader->folder);
    write_to(path, "what");
    buf_init(&error, 1000);
    assert_null(log_file_open(reader->log, reader->folder, "bookmark", &error));
    assert_non_null(strstr(buf_text(&error), "bookmark is damaged"));
    buf_free(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whole_lines_are_given_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_not_saved_is_read_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_line_too_long_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_time_old_files_are_read_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_follows_a_rename, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_follows_a_truncation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_rotations_while_nobody_looks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_is_gone_is_begun_anew, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_bookmark_is_told, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
