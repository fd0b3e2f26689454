/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spool - see spool.h: appending, syncing, and going from one segment to the next
 *
 * Within a segment only the newest bytes can be unsynced: before the next segment is begun the last is
 * synced, so `pending` never spans two. That costs one fdatasync a segment under the mutex.
 */

#include "common/spool_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MEND_PAUSE_MS = 200, PENDING_FIRST = 64 * 1024 };

struct spool_segment *spool_current(const struct spool *spool)
{
    return spool->segment[spool->segments - 1];
}

static enum spool_result failure(void)
{
    return errno == ENOSPC || errno == EDQUOT ? SPOOL_FULL : SPOOL_FAILED;
}

bool spool_oldest_released(const struct spool *spool)
{
    const struct spool_segment *oldest = spool->segment[0];

    if (oldest == spool_current(spool) || oldest->readers || !oldest->released_s)
        return false;
    for (size_t n = 0; n < spool->folder.pasts; n++) {
        const struct spool_past *past = &spool->folder.past[n];

        if (past->inherited && oldest->end > past->first && oldest->start < past->end)
            return false;
    }
    return true;
}

void spool_drop_oldest(struct spool *spool, const char *name)
{
    char old[SPOOL_NAME_MAX];

    spool_segment_name(spool->segment[0]->start, old);
    if (name)
        renameat(spool->folder.directory, old, spool->folder.directory, name);
    else
        unlinkat(spool->folder.directory, old, 0);
    free(spool->segment[0]);
    memmove(spool->segment, spool->segment + 1, --spool->segments * sizeof *spool->segment);
}

/* Room below the cap for one more segment; what is only kept for a restored database goes first. */
static bool room_below_cap(struct spool *spool)
{
    for (;;) {
        uint64_t bytes = spool->segment_bytes;

        for (size_t n = 0; n < spool->segments; n++)
            bytes += spool->segment[n]->size;
        if (bytes <= spool->max_bytes)
            return true;
        if (!spool->segments || !spool_oldest_released(spool)) {
            errno = ENOSPC;
            return false;
        }
        spool_drop_oldest(spool, NULL);
    }
}

/* The list grown by one place, or false. */
static bool list_grow(struct spool *spool)
{
    struct spool_segment **more = realloc(spool->segment, (spool->segments + 1) * sizeof *more);

    if (more)
        spool->segment = more;
    return more;
}

/* A spare, if there is none. On a full disk, too, what is only kept for a restored database goes first. */
static bool have_spare(struct spool *spool)
{
    while (!spool->spare) {
        spool->spare = spool_segment_spare(&spool->io, spool->folder.directory, NULL, spool->segment_bytes, false);
        if (spool->spare)
            break;
        if (failure() != SPOOL_FULL || !spool->segments || !spool_oldest_released(spool))
            return false;
        spool_drop_oldest(spool, NULL);
    }
    return true;
}

bool spool_begin(struct spool *spool, uint64_t start, uint64_t previous_end, struct slice content)
{
    struct spool_segment *segment;
    int file;

    if (!have_spare(spool) || !list_grow(spool))
        return false;
    segment = malloc(sizeof *segment);
    if (!segment)
        return false;
    spool_segment_init(segment, start, spool->segment_bytes, spool->folder.identity);
    segment->previous_end = previous_end;
    segment->end = start + SPOOL_HEADER_BYTES + content.len;
    file = spool_segment_begin(&spool->io, spool->folder.directory, segment, content);
    if (file < 0) {
        free(segment);
        spool->spare = false;
        return false;
    }
    if (spool->current >= 0)
        close(spool->current);
    if (spool->segments)
        spool_current(spool)->end = previous_end;
    spool->current = file;
    spool->segment[spool->segments++] = segment;
    spool->spare = false;
    spool->end = segment->end;
    spool->durable = segment->end;
    pthread_cond_signal(&spool->work);
    pthread_cond_broadcast(&spool->changed);
    pthread_cond_broadcast(&spool->news);
    return true;
}

/* Seals the pending records for a segment at START under today's identity. */
static void pending_reseal(struct spool *spool, uint64_t start)
{
    struct spool_segment segment;

    spool_segment_init(&segment, start, spool->segment_bytes, spool->folder.identity);
    for (size_t at = 0; at < spool->pending_len;)
        at += spool_record_reseal((uint8_t *)spool->pending + at, &segment, start + SPOOL_HEADER_BYTES + at);
}

/*
 * After a failed fdatasync nobody knows which pages reached the disk, and asking again may be answered with a
 * lie. So the records go, from memory, into a fresh segment whose header says that the old one ends where it
 * was last durable.
 */
static bool mend(struct spool *spool)
{
    int64_t now = clock_monotonic_ms();
    uint64_t start;

    while (spool->preparing || spool->syncing)
        pthread_cond_wait(&spool->changed, &spool->mutex);
    if (!spool->broken)
        return true;
    if (spool->mended_ms && now - spool->mended_ms < MEND_PAUSE_MS) {
        errno = spool->broken_errno;
        return false;
    }
    spool->mended_ms = now;
    start = spool_current(spool)->start + spool_current(spool)->size;
    pending_reseal(spool, start);
    if (!spool_begin(spool, start, spool->durable, slice_of(spool->pending, spool->pending_len))) {
        spool->broken_errno = errno;
        return false;
    }
    spool->pending_len = 0;
    spool->broken = false;
    spool->mended_ms = 0;
    return true;
}

/* What was pending up to LEN bytes ago is on the disk. */
static void settle(struct spool *spool, uint64_t target, size_t len)
{
    spool->durable = target;
    spool->pending_len -= len;
    memmove(spool->pending, spool->pending + len, spool->pending_len);
    pthread_cond_broadcast(&spool->news);
}

/* One fdatasync for everything appended so far. With HOLD the mutex stays held. */
static bool sync_once(struct spool *spool, bool hold)
{
    uint64_t target = spool->end;
    size_t len = spool->pending_len;
    int file = spool->current, why;
    bool good;

    spool->syncing = true;
    if (!hold)
        pthread_mutex_unlock(&spool->mutex);
    good = spool->io.fdatasync(file) == 0;
    why = errno;
    if (!hold)
        pthread_mutex_lock(&spool->mutex);
    spool->syncing = false;
    if (good) {
        settle(spool, target, len);
    } else {
        spool->broken = true;
        spool->broken_errno = why;
        good = mend(spool);
    }
    pthread_cond_broadcast(&spool->changed);
    return good;
}

enum spool_result spool_sync_locked(struct spool *spool, uint64_t end)
{
    if (end > spool->end) {
        errno = EINVAL;
        return SPOOL_FAILED;
    }
    while (spool->durable < end) {
        if (spool->broken) {
            if (!mend(spool))
                return failure();
        } else if (spool->syncing) {
            pthread_cond_wait(&spool->changed, &spool->mutex);
        } else if (!sync_once(spool, false)) {
            return failure();
        }
    }
    return SPOOL_OK;
}

enum spool_result spool_sync(struct spool *spool, uint64_t end)
{
    enum spool_result result;

    pthread_mutex_lock(&spool->mutex);
    result = spool_sync_locked(spool, end);
    pthread_mutex_unlock(&spool->mutex);
    return result;
}

static bool fits(const struct spool *spool, size_t need)
{
    const struct spool_segment *current = spool_current(spool);

    return need <= current->start + current->size - spool->end;
}

enum spool_result spool_turn(struct spool *spool, size_t need)
{
    const struct spool_segment *current;

    while (spool->syncing || spool->preparing)
        pthread_cond_wait(&spool->changed, &spool->mutex);
    if (spool->broken || fits(spool, need))
        return SPOOL_OK;
    if (!room_below_cap(spool))
        return SPOOL_FULL;
    if (spool->pending_len && !sync_once(spool, true))
        return failure();
    if (fits(spool, need)) /* a failed sync has begun another segment already */
        return SPOOL_OK;
    current = spool_current(spool);
    return spool_begin(spool, current->start + current->size, spool->end, slice_of(NULL, 0)) ? SPOOL_OK
                                                                                             : failure();
}

/* Makes the current segment one that takes NEED bytes. */
static enum spool_result make_room(struct spool *spool, size_t need)
{
    if (need > spool->segment_bytes - SPOOL_HEADER_BYTES) {
        errno = EMSGSIZE;
        return SPOOL_FAILED;
    }
    while (spool->broken || !fits(spool, need)) {
        enum spool_result result = SPOOL_OK;

        if (!spool->broken)
            result = spool_turn(spool, need);
        else if (!mend(spool))
            result = failure();
        if (result != SPOOL_OK)
            return result;
    }
    return SPOOL_OK;
}

static bool pending_reserve(struct spool *spool, size_t more)
{
    size_t size = spool->pending_size ? spool->pending_size : PENDING_FIRST;
    char *bigger;

    if (spool->pending_len + more <= spool->pending_size)
        return true;
    while (size < spool->pending_len + more)
        size *= 2;
    bigger = realloc(spool->pending, size);
    if (!bigger)
        return false;
    spool->pending = bigger;
    spool->pending_size = size;
    return true;
}

/* Builds the record where it has to be kept anyway and writes it from there. */
static enum spool_result write_record(struct spool *spool, uint8_t kind, uint8_t version,
                                      struct slice payload)
{
    struct spool_segment *current = spool_current(spool);
    size_t size = spool_record_size(payload.len);
    uint8_t *at;
    ssize_t wrote;

    if (!pending_reserve(spool, size))
        return SPOOL_FAILED;
    at = (uint8_t *)spool->pending + spool->pending_len;
    spool_record_build(at, current, spool->end, kind, version, payload);
    do
        wrote = spool->io.pwrite(spool->current, at, size, (off_t)(spool->end - current->start));
    while (wrote < 0 && errno == EINTR);
    if (wrote != (ssize_t)size) { /* the next record is written over what came of it */
        errno = wrote < 0 ? errno : ENOSPC;
        return failure();
    }
    if (spool->sync_ms > 0 && spool->pending_len == 0)
        pthread_cond_signal(&spool->dirty);
    spool->pending_len += size;
    spool->end += size;
    current->end = spool->end;
    return SPOOL_OK;
}

enum spool_result spool_append(struct spool *spool, uint8_t kind, uint8_t version, struct slice payload,
                               uint64_t *end)
{
    enum spool_result result;
    int why;

    if (payload.len == 0 || payload.len > SPOOL_RECORD_MAX) {
        errno = EINVAL;
        return SPOOL_FAILED;
    }
    pthread_mutex_lock(&spool->mutex);
    result = make_room(spool, spool_record_size(payload.len));
    if (result == SPOOL_OK)
        result = write_record(spool, kind, version, payload);
    why = errno;
    *end = spool->end;
    spool->unwritable = result != SPOOL_OK;
    pthread_mutex_unlock(&spool->mutex);
    errno = why;
    return result;
}

uint64_t spool_first(struct spool *spool)
{
    uint64_t first;

    pthread_mutex_lock(&spool->mutex);
    first = spool->segment[0]->start + SPOOL_HEADER_BYTES;
    if (first < spool->folder.first)
        first = spool->folder.first;
    pthread_mutex_unlock(&spool->mutex);
    return first;
}

uint64_t spool_gone(struct spool *spool)
{
    uint64_t gone;

    pthread_mutex_lock(&spool->mutex);
    gone = spool->segment[0]->previous_end;
    if (gone <= spool->folder.first + SPOOL_HEADER_BYTES)
        gone = 0; /* the header of a first segment without records */
    pthread_mutex_unlock(&spool->mutex);
    return gone;
}

uint64_t spool_waiting(struct spool *spool, uint64_t position)
{
    uint64_t waiting = 0;

    pthread_mutex_lock(&spool->mutex);
    if (position < spool->folder.first)
        position = spool->folder.first;
    for (size_t n = spool->segments; n-- && spool->segment[n]->end > position;) {
        uint64_t start = spool->segment[n]->start + SPOOL_HEADER_BYTES;

        waiting += spool->segment[n]->end - (position > start ? position : start);
    }
    pthread_mutex_unlock(&spool->mutex);
    return waiting;
}

uint64_t spool_durable(struct spool *spool)
{
    uint64_t durable;

    pthread_mutex_lock(&spool->mutex);
    durable = spool->durable;
    pthread_mutex_unlock(&spool->mutex);
    return durable;
}

uint64_t spool_end(struct spool *spool)
{
    uint64_t end;

    pthread_mutex_lock(&spool->mutex);
    end = spool->end;
    pthread_mutex_unlock(&spool->mutex);
    return end;
}

uint64_t spool_loaded(struct spool *spool)
{
    uint64_t loaded;

    pthread_mutex_lock(&spool->mutex);
    loaded = spool->released;
    pthread_mutex_unlock(&spool->mutex);
    return loaded;
}

bool spool_writable(struct spool *spool)
{
    bool writable;

    pthread_mutex_lock(&spool->mutex);
    writable = !spool->unwritable && !spool->broken;
    pthread_mutex_unlock(&spool->mutex);
    return writable;
}

bool spool_wait(struct spool *spool, uint64_t position, int timeout_ms)
{
    struct timespec deadline = clock_monotonic_at(clock_monotonic_ms() + timeout_ms);
    unsigned wakes;
    bool more;

    pthread_mutex_lock(&spool->mutex);
    wakes = spool->wakes;
    while (spool->durable <= position && spool->wakes == wakes)
        if (pthread_cond_timedwait(&spool->news, &spool->mutex, &deadline) != 0)
            break;
    more = spool->durable > position;
    pthread_mutex_unlock(&spool->mutex);
    return more;
}

void spool_wake(struct spool *spool)
{
    pthread_mutex_lock(&spool->mutex);
    spool->wakes++;
    pthread_cond_broadcast(&spool->news);
    pthread_mutex_unlock(&spool->mutex);
}
