/* SPDX-License-Identifier: BSD-2-Clause */
/* loader_state - what a loader's thread tells others, and hears from them; see loader.h and loader_private.h */

#include "common/loader_private.h"

#include "common/clock.h"
#include "common/record.h"

#include <errno.h>

bool loader_is_stopping(struct loader *loader)
{
    bool stopping;

    pthread_mutex_lock(&loader->lock);
    stopping = loader->stopping;
    pthread_mutex_unlock(&loader->lock);
    return stopping;
}

/* MOST_MS, or what is left until the drain ends. */
int loader_allowed_ms(struct loader *loader, int most_ms)
{
    int64_t left = most_ms;

    pthread_mutex_lock(&loader->lock);
    if (loader->stopping && loader->stop_by_ms - clock_monotonic_ms() < left)
        left = loader->stop_by_ms - clock_monotonic_ms();
    pthread_mutex_unlock(&loader->lock);
    return left > 0 ? (int)left : 0;
}

void loader_pause(struct loader *loader, int64_t milliseconds)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + milliseconds);

    pthread_mutex_lock(&loader->lock);
    while (!loader->stopping && pthread_cond_timedwait(&loader->changed, &loader->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&loader->lock);
}

void loader_note_connected(struct loader *loader, bool connected)
{
    pthread_mutex_lock(&loader->lock);
    loader->state.connected = connected;
    pthread_mutex_unlock(&loader->lock);
}

void loader_note_loaded(struct loader *loader, size_t rejected)
{
    pthread_mutex_lock(&loader->lock);
    loader->state.loaded = loader->progress.position;
    loader->state.rejected += rejected;
    loader->oldest_us = 0;
    pthread_mutex_unlock(&loader->lock);
}

void loader_note_waiting(struct loader *loader, int64_t time_us)
{
    pthread_mutex_lock(&loader->lock);
    if (loader->oldest_us == 0 || time_us < loader->oldest_us)
        loader->oldest_us = time_us;
    pthread_mutex_unlock(&loader->lock);
}

struct loader_state loader_state(struct loader *loader)
{
    struct loader_state state;
    int64_t oldest_us;

    pthread_mutex_lock(&loader->lock);
    state = loader->state;
    oldest_us = loader->oldest_us;
    pthread_mutex_unlock(&loader->lock);
    state.waiting = spool_waiting(loader->spool, state.loaded);
    if (state.waiting && oldest_us)
        state.lag_s = (double)(clock_wall_us() - oldest_us) / 1e6;
    if (state.lag_s < 0)
        state.lag_s = 0;
    return state;
}

/* True when it was not known before. */
bool loader_note_start(struct loader *loader, enum loader_start start)
{
    bool is_first;

    pthread_mutex_lock(&loader->lock);
    is_first = loader->start == LOADER_PENDING;
    if (is_first) {
        loader->start = start;
        buf_add_str(&loader->unfit, buf_text(&loader->why));
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return is_first;
}

enum loader_start loader_wait_start(struct loader *loader, int timeout_ms, struct buf *why)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + timeout_ms);
    enum loader_start start;

    pthread_mutex_lock(&loader->lock);
    while (loader->start == LOADER_PENDING
           && pthread_cond_timedwait(&loader->changed, &loader->lock, &until) != ETIMEDOUT)
        ;
    start = loader->start;
    if (start == LOADER_UNFIT)
        buf_add_str(why, buf_text(&loader->unfit));
    pthread_mutex_unlock(&loader->lock);
    return start;
}

/* When the first record behind LOADED was made; now, if that cannot be read. */
static int64_t oldest_time(struct loader *loader, uint64_t loaded)
{
    struct spool_reader *reader = spool_reader_new(loader->spool, loaded);
    int64_t time_us = clock_wall_us();
    struct spool_record record;

    if (reader && spool_reader_next(reader, &record) == SPOOL_READ_RECORD)
        record_time(record.kind, record.payload, &time_us);
    spool_reader_free(reader);
    return time_us;
}

/* Whatever it was that ended a session, records wait from now on: who watches the lag shall see it. */
void loader_note_held_up(struct loader *loader)
{
    struct loader_state state = loader_state(loader);
    bool known;

    pthread_mutex_lock(&loader->lock);
    known = loader->oldest_us != 0;
    pthread_mutex_unlock(&loader->lock);
    if (state.waiting && !known)
        loader_note_waiting(loader, oldest_time(loader, state.loaded));
}
