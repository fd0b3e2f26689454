/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_batch - see loader_batch.h */

#include "common/loader_batch.h"

#include "common/clock.h"
#include "common/record.h"

#include <stdlib.h>

struct loader_batch *loader_batch_new(void)
{
    struct loader_batch *batch = calloc(1, sizeof *batch);

    if (!batch)
        return NULL;
    buf_init(&batch->bytes, LOADER_BATCH_BYTES + SPOOL_RECORD_MAX);
    batch->most = LOADER_BATCH_RECORDS;
    return batch;
}

void loader_batch_free(struct loader_batch *batch)
{
    if (!batch)
        return;
    buf_free(&batch->bytes);
    free(batch);
}

void loader_batch_reset(struct loader_batch *batch)
{
    batch->count = 0;
    buf_reset(&batch->bytes);
}

bool loader_batch_has_room(const struct loader_batch *batch)
{
    return batch->count < batch->most && batch->bytes.len < LOADER_BATCH_BYTES;
}

bool loader_batch_keep(struct loader_batch *batch, const struct spool_record *record)
{
    size_t offset = batch->bytes.len;

    if (!buf_add_slice(&batch->bytes, record->payload))
        return false;
    batch->record[batch->count] = *record;
    batch->offset[batch->count++] = offset;
    return true;
}

const struct spool_record *loader_batch_records(struct loader_batch *batch)
{
    for (size_t at = 0; at < batch->count; at++)
        batch->record[at].payload.p = buf_text(&batch->bytes) + batch->offset[at];
    return batch->record;
}

int64_t loader_batch_time(struct loader_batch *batch)
{
    const struct spool_record *first = loader_batch_records(batch);
    int64_t time_us = clock_wall_us();

    record_time(first->kind, first->payload, &time_us);
    return time_us;
}
