/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_keep - the spool's own thread, and how long what is loaded stays
 *
 * The keeper syncs what was appended within sync_ms, keeps one spare segment ready, so that no append waits
 * for zeros to be written, and takes away what was released long enough ago. Its failures need no word:
 * whoever needs a sync or a segment meets them again and is told.
 */

#include "common/spool_private.h"

#include <errno.h>

enum { HOUSE_MS = 1000 /* between looks at spare and age */ };

void spool_mark_released(struct spool *spool, uint64_t position)
{
    int64_t now = clock_wall_us() / 1000000;

    for (size_t n = 0; n + 1 < spool->segments; n++) {
        struct spool_segment *segment = spool->segment[n];

        if (segment->end > position)
            segment->released_s = 0;
        else if (!segment->released_s)
            segment->released_s = segment->written_s ? segment->written_s : now;
    }
}

void spool_release(struct spool *spool, uint64_t position)
{
    pthread_mutex_lock(&spool->mutex);
    if (spool->released != position)
        spool_note_loaded(spool, position);
    spool_mark_released(spool, position);
    pthread_mutex_unlock(&spool->mutex);
}

static bool oldest_expired(const struct spool *spool)
{
    return spool_oldest_released(spool) && clock_wall_us() / 1000000 - spool->segment[0]->released_s >= spool->keep_s;
}

/* Makes a spare, from an expired segment if there is one; lets go of the mutex while the zeros are written.
 */
static void prepare_spare(struct spool *spool)
{
    const char *from = NULL;
    bool made;

    if (oldest_expired(spool) && spool->segment[0]->size <= spool->segment_bytes) {
        spool_drop_oldest(spool, SPOOL_RECYCLED);
        from = SPOOL_RECYCLED;
    }
    spool->preparing = true;
    pthread_mutex_unlock(&spool->mutex);
    made = spool_segment_spare(&spool->io, spool->folder.directory, from, spool->segment_bytes, true);
    pthread_mutex_lock(&spool->mutex);
    spool->preparing = false;
    spool->spare = made;
    pthread_cond_broadcast(&spool->changed);
}

static void wait_until(struct spool *spool, int64_t ms)
{
    struct timespec deadline = clock_monotonic_at(ms);

    pthread_cond_timedwait(&spool->work, &spool->mutex, &deadline);
}

/*
 * When to sync again so that what was appended after the last sync BEGAN is on the disk within sync_ms: early enough
 * for a sync that takes twice as long as that one, yet with half of sync_ms without one.
 */
static int64_t next_sync(const struct spool *spool, int64_t began, int64_t ended)
{
    int64_t latest = began + spool->sync_ms - 1 - 2 * (ended - began);
    int64_t earliest = ended + (spool->sync_ms + 1) / 2;

    return latest > earliest ? latest : earliest;
}

static void *keeper(void *arg)
{
    struct spool *spool = arg;
    int64_t house_ms = 0, spare_ms = 0, sync_ms = 0;

    pthread_mutex_lock(&spool->mutex);
    while (!spool->stop) {
        int64_t now = clock_monotonic_ms();
        bool dirty = spool->sync_ms > 0 && spool->pending_len;

        if (dirty && now >= sync_ms) {
            spool_sync_locked(spool, spool->end);
            sync_ms = next_sync(spool, now, clock_monotonic_ms());
        } else if (!spool->spare && now >= spare_ms) {
            prepare_spare(spool);
            spare_ms = spool->spare ? 0 : now + HOUSE_MS;
        } else if (now >= house_ms) {
            while (oldest_expired(spool))
                spool_drop_oldest(spool, NULL);
            house_ms = now + HOUSE_MS;
        } else {
            wait_until(spool, dirty && sync_ms < house_ms ? sync_ms : house_ms);
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    return NULL;
}

bool spool_keeper_start(struct spool *spool)
{
    int why = pthread_create(&spool->keeper, NULL, keeper, spool);

    spool->keeping = why == 0;
    errno = why;
    return spool->keeping;
}

void spool_keeper_stop(struct spool *spool)
{
    if (!spool->keeping)
        return;
    pthread_mutex_lock(&spool->mutex);
    spool->stop = true;
    pthread_cond_signal(&spool->work);
    pthread_mutex_unlock(&spool->mutex);
    pthread_join(spool->keeper, NULL);
    spool->keeping = false;
}
