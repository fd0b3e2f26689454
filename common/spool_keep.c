/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool_keep - the spool's own threads, and how long what is loaded stays
 *
 * The syncer syncs what was appended within sync_ms. The keeper keeps one spare segment ready, so that no append waits
 * for zeros to be written, and takes away what was released long enough ago. They are two because a spare may take
 * seconds on a busy disk. Their failures need no word: whoever needs a sync or a segment meets them again and is told.
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

bool spool_part(struct spool *spool, uint64_t *end)
{
    bool parted;

    pthread_mutex_lock(&spool->mutex);
    parted = spool_turn(spool, SIZE_MAX) == SPOOL_OK && !spool->broken;
    if (parted)
        *end = spool_current(spool)->previous_end;
    pthread_mutex_unlock(&spool->mutex);
    return parted;
}

bool spool_erase(struct spool *spool, uint64_t end)
{
    bool gone;

    pthread_mutex_lock(&spool->mutex);
    spool_mark_released(spool, end);
    while (spool->segment[0]->start < end && spool_oldest_released(spool))
        spool_drop_oldest(spool, NULL);
    gone = spool->segment[0]->start >= end;
    pthread_mutex_unlock(&spool->mutex);
    return gone;
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

/* With the mutex held. Until the time has come or there is WORK. */
static void wait_until(struct spool *spool, pthread_cond_t *work, int64_t ms)
{
    struct timespec deadline = clock_monotonic_at(ms);

    pthread_cond_timedwait(work, &spool->mutex, &deadline);
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

static void *syncer(void *arg)
{
    struct spool *spool = arg;
    int64_t sync_ms = 0;

    pthread_mutex_lock(&spool->mutex);
    while (!spool->stop) {
        int64_t now = clock_monotonic_ms();

        if (!spool->pending_len) {
            pthread_cond_wait(&spool->dirty, &spool->mutex);
        } else if (now < sync_ms) {
            wait_until(spool, &spool->dirty, sync_ms);
        } else {
            spool_sync_locked(spool, spool->end);
            sync_ms = next_sync(spool, now, clock_monotonic_ms());
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    return NULL;
}

static void *keeper(void *arg)
{
    struct spool *spool = arg;
    int64_t house_ms = 0, spare_ms = 0;

    pthread_mutex_lock(&spool->mutex);
    while (!spool->stop) {
        int64_t now = clock_monotonic_ms();

        if (!spool->spare && now >= spare_ms) {
            prepare_spare(spool);
            spare_ms = spool->spare ? 0 : now + HOUSE_MS;
        } else if (now >= house_ms) {
            while (oldest_expired(spool))
                spool_drop_oldest(spool, NULL);
            house_ms = now + HOUSE_MS;
        } else {
            wait_until(spool, &spool->work, house_ms);
        }
    }
    pthread_mutex_unlock(&spool->mutex);
    return NULL;
}

/* errno */
static bool start(pthread_t *thread, void *(*run)(void *arg), struct spool *spool)
{
    errno = pthread_create(thread, NULL, run, spool);
    return errno == 0;
}

bool spool_keeper_start(struct spool *spool)
{
    int why;

    spool->keeping = start(&spool->keeper, keeper, spool);
    if (!spool->keeping)
        return false;
    spool->syncs = spool->sync_ms > 0 && start(&spool->syncer, syncer, spool);
    if (spool->sync_ms == 0 || spool->syncs)
        return true;
    why = errno;
    spool_keeper_stop(spool);
    errno = why;
    return false;
}

void spool_keeper_stop(struct spool *spool)
{
    if (!spool->keeping)
        return;
    pthread_mutex_lock(&spool->mutex);
    spool->stop = true;
    pthread_cond_signal(&spool->work);
    pthread_cond_signal(&spool->dirty);
    pthread_mutex_unlock(&spool->mutex);
    pthread_join(spool->keeper, NULL);
    if (spool->syncs)
        pthread_join(spool->syncer, NULL);
    spool->keeping = spool->syncs = false;
}
