/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_fill - from the spool to a batch; see loader_private.h */

#include "common/loader_private.h"

#include <inttypes.h>

static enum loader_step fill(struct loader *loader, struct loader_batch *batch)
{
    struct spool_record record;

    loader_batch_reset(batch);
    while (loader_batch_has_room(batch)) {
        switch (spool_reader_next(loader->reader, &record)) {
        case SPOOL_READ_END:
            return STEP_ON;
        case SPOOL_READ_SKIPPED:
            log_err("the spool is damaged: records before position %" PRIu64 " cannot be read and are passed over",
                    spool_reader_position(loader->reader));
            continue;
        case SPOOL_READ_FAILED:
            log_err("cannot read the spool: %m");
            return STEP_AGAIN;
        case SPOOL_READ_RECORD:
            break;
        }
        if (!store_knows(record.kind)) {
            log_err("the spool holds a record of kind %u at position %" PRIu64
                    ", which this program is too old to know; nothing is loaded until a newer one runs", record.kind, record.position);
            return STEP_HALT;
        }
        loader_forget_record(&record, &loader->left);
        if (!loader_batch_keep(batch, &record)) {
            log_err("no memory for a batch of the spool");
            return STEP_AGAIN;
        }
    }
    return STEP_ON;
}

enum loader_step loader_fill(struct loader *loader)
{
    struct loader_batch *next = loader->next;
    bool is_ahead = loader->is_ahead;

    loader->is_ahead = false;
    if (!is_ahead || (next->count == 0 && loader->ahead == STEP_ON)) /* there may be some by now */
        return fill(loader, loader->batch);
    next->most = loader->batch->most;
    loader->next = loader->batch;
    loader->batch = next;
    return loader->ahead;
}

void loader_fill_ahead(void *arg)
{
    struct loader *loader = arg;

    loader_release(loader);
    if (loader->is_ahead || loader_batch_has_room(loader->batch))
        return;
    loader->next->most = loader->batch->most;
    loader->ahead = fill(loader, loader->next);
    loader->is_ahead = true;
}

void loader_fill_forget(struct loader *loader)
{
    loader->is_ahead = false;
}

void loader_release(struct loader *loader)
{
    if (loader->unreleased)
        spool_release(loader->spool, loader->progress.position);
    loader->unreleased = false;
}
