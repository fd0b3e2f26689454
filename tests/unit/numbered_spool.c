/* SPDX-License-Identifier: BSD-2-Clause */
/* numbered_spool - see numbered_spool.h */

#include "tests/unit/numbered_spool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct numbered numbered;

int numbered_set_up(void **state)
{
    (void)state;
    folder_make(numbered.folder);
    numbered.options = (struct spool_options){
        .directory = numbered.folder, .segment_bytes = SEGMENT, .max_bytes = 1 << 24, .keep_s = 3600};
    return 0;
}

int numbered_tear_down(void **state)
{
    (void)state;
    folder_remove(numbered.folder);
    return 0;
}

struct spool *numbered_open(void)
{
    struct buf said, why;
    struct spool *spool;

    buf_init(&said, sizeof numbered.warning - 1);
    buf_init(&why, sizeof numbered.failure - 1);
    spool = spool_open(&numbered.options, &said, &why);
    snprintf(numbered.warning, sizeof numbered.warning, "%s", buf_text(&said));
    snprintf(numbered.failure, sizeof numbered.failure, "%s", buf_text(&why));
    buf_free(&said);
    buf_free(&why);
    return spool;
}

struct spool *numbered_open_good(void)
{
    struct spool *spool = numbered_open();

    if (!spool)
        fail_msg("%s", numbered.failure);
    return spool;
}

enum spool_result numbered_append(struct spool *spool, int number, uint64_t *end)
{
    char text[100];
    int len = snprintf(text, sizeof text, "record %d %.*s", number, number % 50,
                       "..................................................");

    return spool_append(spool, 3, 1, slice_of(text, (size_t)len), end);
}

uint64_t numbered_append_range(struct spool *spool, int from, int to)
{
    uint64_t end = 0;

    for (int n = from; n < to; n++)
        assert_int_equal(numbered_append(spool, n, &end), SPOOL_OK);
    assert_int_equal(spool_sync(spool, end), SPOOL_OK);
    return end;
}

int numbered_read(const struct spool_record *record)
{
    char text[120];

    snprintf(text, sizeof text, "%.*s", SLICE_ARG(record->payload));
    assert_memory_equal(text, "record ", 7);
    return (int)strtol(text + 7, NULL, 10);
}

void numbered_expect_next(struct spool_reader *reader, int from, int to)
{
    struct spool_record record;

    for (int n = from; n < to; n++) {
        assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_RECORD);
        assert_int_equal(numbered_read(&record), n);
        assert_int_equal(record.kind, 3);
        assert_int_equal(record.version, 1);
    }
}

void numbered_expect_all(struct spool *spool, int from, int to)
{
    struct spool_reader *reader = spool_reader_new(spool, 0);
    struct spool_record record;

    numbered_expect_next(reader, from, to);
    assert_int_equal(spool_reader_next(reader, &record), SPOOL_READ_END);
    spool_reader_free(reader);
}

void numbered_segment_path(struct spool *spool, size_t n, char path[PATH_SIZE])
{
    char name[SPOOL_NAME_MAX];

    spool_segment_name(spool->segment[n]->start, name);
    assert_true(snprintf(path, PATH_SIZE, "%s/%s", numbered.folder, name) < PATH_SIZE);
}
