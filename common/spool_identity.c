/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_identity - what the database knows a spool by, how it is renewed, and what a copied folder brought
 * along */

#include "common/spool_loaded.h"
#include "common/spool_private.h"

#include <errno.h>
#include <string.h>

void spool_identity(struct spool *spool, uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    pthread_mutex_lock(&spool->mutex);
    memcpy(identity, spool->folder.identity, SPOOL_IDENTITY_BYTES);
    pthread_mutex_unlock(&spool->mutex);
}

void spool_note_loaded(struct spool *spool, uint64_t position)
{
    spool->released = position;
    if (spool->loaded >= 0)
        spool_loaded_write(spool->loaded, spool->folder.identity, position);
}

/* The mutex is held. */
static bool renew(struct spool *spool)
{
    const struct spool_segment *current;
    uint64_t first = spool->released;

    if (spool_sync_locked(spool, spool->end) != SPOOL_OK)
        return false;
    while (spool->syncing || spool->preparing)
        pthread_cond_wait(&spool->changed, &spool->mutex);
    if (first < spool->folder.first)
        first = spool->folder.first;
    if (first > spool->end)
        first = spool->end;
    current = spool_current(spool);
    if (!spool_folder_renew(&spool->folder, first, current->start + current->size, false))
        return false;
    spool_note_loaded(spool, first);
    /* When no segment can be begun now the current one goes on under its old seal: it begins before the end
     * of that. */
    spool_turn(spool, SIZE_MAX);
    return true;
}

bool spool_renew(struct spool *spool, struct buf *error)
{
    bool renewed;

    pthread_mutex_lock(&spool->mutex);
    renewed = renew(spool);
    pthread_mutex_unlock(&spool->mutex);
    if (!renewed)
        buf_add_f(error, "cannot renew the identity of the spool: %m");
    return renewed;
}

/* Behind the last record in the segments that begin before END. */
static uint64_t records_end(const struct spool *spool, uint64_t end)
{
    uint64_t last = 0;

    for (size_t n = 0; n < spool->segments && spool->segment[n]->start < end; n++)
        last = spool->segment[n]->end;
    return last;
}

bool spool_inherited(struct spool *spool, struct spool_inherited *inherited)
{
    const struct spool_past *past;

    pthread_mutex_lock(&spool->mutex);
    past = spool_folder_inherited(&spool->folder);
    if (past) {
        memcpy(inherited->identity, past->identity, SPOOL_IDENTITY_BYTES);
        inherited->first = past->first;
        inherited->end = records_end(spool, past->end);
    }
    pthread_mutex_unlock(&spool->mutex);
    return past;
}

bool spool_inherited_settle(struct spool *spool, struct buf *error)
{
    struct spool_past *past;
    bool settled;

    pthread_mutex_lock(&spool->mutex);
    past = spool_folder_inherited(&spool->folder);
    settled = !past || spool_folder_settle(&spool->folder, past);
    pthread_mutex_unlock(&spool->mutex);
    if (!settled)
        buf_add_f(error, "cannot write the identity of the spool: %m");
    return settled;
}
