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

/* Behind the last record of PAST that is kept; what begins where the next identity does is no longer its own. */
static uint64_t past_end(const struct spool *spool, const struct spool_past *past)
{
    const struct spool_folder *folder = &spool->folder;
    bool is_last = past + 1 == folder->past + folder->pasts;
    uint64_t limit = is_last ? folder->first : past[1].first;
    uint64_t last = 0;

    for (size_t n = 0; n < spool->segments && spool->segment[n]->start < past->end; n++)
        last = spool->segment[n]->end;
    if (last > limit)
        last = limit;
    return last > spool->segment[0]->start ? last : 0;
}

static void past_tell(const struct spool *spool, const struct spool_past *past, struct spool_inherited *told)
{
    memcpy(told->identity, past->identity, SPOOL_IDENTITY_BYTES);
    told->first = past->first;
    told->end = past_end(spool, past);
}

bool spool_inherited(struct spool *spool, struct spool_inherited *inherited)
{
    const struct spool_past *past;

    pthread_mutex_lock(&spool->mutex);
    past = spool_folder_inherited(&spool->folder);
    if (past)
        past_tell(spool, past, inherited);
    pthread_mutex_unlock(&spool->mutex);
    return past;
}

bool spool_past(struct spool *spool, size_t n, struct spool_inherited *past)
{
    bool found;

    pthread_mutex_lock(&spool->mutex);
    found = n < spool->folder.pasts;
    if (found)
        past_tell(spool, &spool->folder.past[n], past);
    pthread_mutex_unlock(&spool->mutex);
    return found;
}

static bool inherit(struct spool *spool, struct spool_past *past, bool inherited, struct buf *error)
{
    bool written = !past || spool_folder_inherit(&spool->folder, past, inherited);

    if (!written)
        buf_add_f(error, "cannot write the identity of the spool: %m");
    return written;
}

bool spool_inherit(struct spool *spool, size_t n, struct buf *error)
{
    bool written;

    pthread_mutex_lock(&spool->mutex);
    written = inherit(spool, &spool->folder.past[n], true, error);
    pthread_mutex_unlock(&spool->mutex);
    return written;
}

bool spool_inherited_settle(struct spool *spool, struct buf *error)
{
    bool settled;

    pthread_mutex_lock(&spool->mutex);
    settled = inherit(spool, spool_folder_inherited(&spool->folder), false, error);
    pthread_mutex_unlock(&spool->mutex);
    return settled;
}
