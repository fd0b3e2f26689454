/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader_batch - the records that go to the database together, copied out of the spool. For loader.c alone.
 */
#ifndef COMMON_LOADER_BATCH_H
#define COMMON_LOADER_BATCH_H

#include "common/spool.h"

enum { LOADER_BATCH_RECORDS = 10000, LOADER_BATCH_BYTES = 8 * 1024 * 1024 };

struct loader_batch {
    struct spool_record record[LOADER_BATCH_RECORDS];
    size_t offset[LOADER_BATCH_RECORDS]; /* of the payload in BYTES, which may move while it grows */
    size_t count;
    size_t most; /* records that it takes, up to LOADER_BATCH_RECORDS */
    struct buf bytes;
};

struct loader_batch *loader_batch_new(void); /* empty; NULL without memory */
void loader_batch_free(struct loader_batch *batch);
void loader_batch_reset(struct loader_batch *batch);

bool loader_batch_has_room(const struct loader_batch *batch);
bool loader_batch_keep(struct loader_batch *batch, const struct spool_record *record); /* false without memory */

/* The records, valid until the batch changes. */
const struct spool_record *loader_batch_records(struct loader_batch *batch);
/* When the first of them was noted down, microseconds since 1970 UTC. */
int64_t loader_batch_time(struct loader_batch *batch);

#endif
