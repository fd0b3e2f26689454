/* SPDX-License-Identifier: BSD-2-Clause */
/* numbered_spool - a spool of numbered records in a folder of its own, for the tests of the spool. */
#ifndef TESTS_UNIT_NUMBERED_SPOOL_H
#define TESTS_UNIT_NUMBERED_SPOOL_H

#include "common/spool_private.h"
#include "tests/unit/folder.h"

enum { SEGMENT = 4096, MANY = 1000 };

struct numbered {
    struct spool_options options; /* for the next one that is opened */
    char folder[PATH_SIZE];
    char warning[2000], failure[2000]; /* what was said when it was opened */
};
extern struct numbered numbered;

int numbered_set_up(void **state);
int numbered_tear_down(void **state);

struct spool *numbered_open(void);
struct spool *numbered_open_good(void); /* or the test fails */

enum spool_result numbered_append(struct spool *spool, int number, uint64_t *end);
uint64_t numbered_append_range(struct spool *spool, int from, int to); /* FROM to before TO, and syncs them */
int numbered_read(const struct spool_record *record);
void numbered_expect_next(struct spool_reader *reader, int from, int to);
/* All of the spool is exactly the records FROM to TO. */
void numbered_expect_all(struct spool *spool, int from, int to);

void numbered_segment_path(struct spool *spool, size_t n, char path[PATH_SIZE]);

#endif
