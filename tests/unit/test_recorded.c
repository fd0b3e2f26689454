/* SPDX-License-Identifier: BSD-2-Clause */
/* what an older version wrote, in tests/corpus/recorded, is read as it was meant: every kind of token, every kind of record */

#include "common/spool.h"
#include "common/token.h"
#include "ctl/record_text.h"
#include "common/spool_walk.h"
#include "tests/unit/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TEXT_MAX = 1 << 20, KINDS = TOKEN_CONSENT, RECORDS = 14, SEGMENT = 4096 };

static char copy[PATH_SIZE]; /* of the folder: a key file must not be everybody's, a spool is written to */
static char spool_folder[PATH_SIZE + 8];

static int setup(void **state)
{
    const char *top = getenv("top_srcdir");
    char from[PATH_SIZE];

    (void)state;
    folder_make(copy);
    snprintf(from, sizeof from, "%s/tests/corpus/recorded", top ? top : ".");
    assert_true(folder_copy(from, copy));
    snprintf(from, sizeof from, "%s/tests/corpus/recorded/spool", top ? top : ".");
    snprintf(spool_folder, sizeof spool_folder, "%s/spool", copy);
    assert_true(folder_copy(from, spool_folder));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    folder_remove(copy);
    return 0;
}

static void read_copy(const char *name, struct buf *out)
{
    char path[PATH_SIZE + 16];
    char chunk[4096];
    FILE *file;
    size_t got;

    buf_init(out, TEXT_MAX);
    snprintf(path, sizeof path, "%s/%s", copy, name);
    file = fopen(path, "r");
    assert_non_null(file);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(out, chunk, got);
    fclose(file);
}

/* A line: the token, what is in it as words, and what was signed beside it. */
static void check_token(struct keys *keys, struct slice line)
{
    struct slice text = slice_cut(&line, ' ');
    struct token token;
    char words[200];
    size_t len;

    for (int word = 0, at = 0; word < 6; at++)
        word += line.p[len = (size_t)at] == ' ';
    assert_int_equal(token_verify(keys, text, slice_from(line, len + 1), &token), TOKEN_GOOD);
    snprintf(words, sizeof words, "%s key=%u message=%llu recipient=%08x aggregate=%d index=%u", token_kind_name(token.kind),
             token.key_id, (unsigned long long)token.message, token.recipient, token.aggregate, token.index);
    assert_true(slice_is(slice_of(line.p, len), words));
}

static void tokens_are_read(void **state)
{
    char path[PATH_SIZE + 8];
    struct buf text, error;
    struct slice rest;
    struct keys *keys;
    int count = 0;

    (void)state;
    buf_init(&error, 1000);
    snprintf(path, sizeof path, "%s/keys", copy);
    keys = keys_load(path, &error);
    assert_string_equal(buf_text(&error), "");
    read_copy("tokens.txt", &text);
    for (rest = buf_slice(&text); rest.len; count++)
        check_token(keys, slice_cut(&rest, '\n'));
    assert_int_equal(count, KINDS);
    keys_free(keys);
    buf_free(&text);
    buf_free(&error);
}

static void add_line(void *arg, const struct spool_record *record)
{
    record_text_add(arg, record);
    buf_add_char(arg, '\n');
}

static void records_are_read(void **state)
{
    struct spool_walk_report report;
    struct spool_walk walk;
    struct buf seen, expected, error;

    (void)state;
    buf_init(&seen, TEXT_MAX);
    buf_init(&error, 1000);
    read_copy("spool.txt", &expected);
    assert_true(spool_walk_open(&walk, spool_folder, &error));
    assert_int_equal(walk.segments, 1);
    spool_walk_segment(&walk, 0, add_line, &seen, &report);
    assert_int_equal(report.end, SPOOL_WALK_GOOD);
    assert_int_equal(report.records, RECORDS);
    assert_string_equal(buf_text(&seen), buf_text(&expected));
    spool_walk_close(&walk);
    buf_free(&seen);
    buf_free(&expected);
    buf_free(&error);
}

/* A program that starts in such a folder: it is a copy, so what is in it is loaded under the identity that wrote it. */
static void a_program_goes_on_in_such_a_spool(void **state)
{
    struct spool_options options = {.directory = spool_folder, .segment_bytes = SEGMENT, .max_bytes = 8 * SEGMENT, .keep_s = 1};
    struct spool_reader *reader;
    struct spool_record record;
    struct buf warning, error;
    struct spool *spool;
    int count = 0;

    (void)state;
    buf_init(&warning, 1000);
    buf_init(&error, 1000);
    spool = spool_open(&options, &warning, &error);
    assert_string_equal(buf_text(&error), "");
    reader = spool_reader_new_inherited(spool, 0);
    for (; spool_reader_next(reader, &record) == SPOOL_READ_RECORD; count++)
        assert_int_equal(record.version, 1);
    assert_int_equal(count, RECORDS);
    spool_reader_free(reader);
    assert_int_equal(spool_close(spool, NULL), SPOOL_OK);
    buf_free(&warning);
    buf_free(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_read),
        cmocka_unit_test(records_are_read),
        cmocka_unit_test(a_program_goes_on_in_such_a_spool), /* last: it changes the folder */
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
