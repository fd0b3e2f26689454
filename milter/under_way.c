/* SPDX-License-Identifier: BSD-2-Clause */
/* under_way - see under_way.h */

#include "milter/under_way.h"

#include "common/clock.h"
#include "common/log.h"

#include <pthread.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    unsigned under_way;
    bool draining; /* mails that begin now are refused for the time being */
    bool closed;   /* nothing that the service uses may be touched any more */
} mails = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

bool under_way_begin(void)
{
    bool counted;

    pthread_mutex_lock(&mails.lock);
    counted = !mails.draining;
    mails.under_way += counted;
    pthread_mutex_unlock(&mails.lock);
    return counted;
}

void under_way_end(void)
{
    pthread_mutex_lock(&mails.lock);
    mails.under_way--;
    pthread_cond_broadcast(&mails.ended);
    pthread_mutex_unlock(&mails.lock);
}

bool under_way_is_closed(void)
{
    bool closed;

    pthread_mutex_lock(&mails.lock);
    closed = mails.closed;
    pthread_mutex_unlock(&mails.lock);
    return closed;
}

bool under_way_drain(int64_t most_ms)
{
    struct timespec until = clock_wall_in(most_ms);
    bool drained;
    int late = 0;

    pthread_mutex_lock(&mails.lock);
    mails.draining = true;
    while (mails.under_way && !late)
        late = pthread_cond_timedwait(&mails.ended, &mails.lock, &until);
    drained = mails.under_way == 0;
    if (!drained)
        log_warn("stopped with %u mails under way: their clients will try again", mails.under_way);
    mails.closed = true;
    pthread_mutex_unlock(&mails.lock);
    return drained;
}
