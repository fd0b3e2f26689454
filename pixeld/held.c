/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/held.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct held {
    struct held_options options;
    pthread_mutex_t lock; /* of what stands below, up to the blank line */
    pthread_cond_t changed;
    struct held_answer *first;
    bool stopping;

    pthread_t thread;
};

/* Until UNTIL_MS, or the end. With the lock held. */
static void pause_until(struct held *held, int64_t until_ms)
{
    struct timespec until = clock_monotonic_at(until_ms);

    while (!held->stopping && pthread_cond_timedwait(&held->changed, &held->lock, &until) != ETIMEDOUT)
        ;
}

/* All that wait, or NULL at the end. */
static struct held_answer *take(struct held *held, int64_t not_before_ms)
{
    struct held_answer *first;

    pthread_mutex_lock(&held->lock);
    while (!held->stopping && !held->first)
        pthread_cond_wait(&held->changed, &held->lock);
    if (clock_monotonic_ms() < not_before_ms)
        pause_until(held, not_before_ms);
    first = held->first;
    held->first = NULL;
    pthread_mutex_unlock(&held->lock);
    return first;
}

static void settle(struct held *held, const struct held_answer *first)
{
    uint64_t after = 0;
    size_t answers = 0;

    for (const struct held_answer *one = first; one; one = one->next, answers++)
        if (one->after > after)
            after = one->after;
    held->options.settle(held->options.arg, after, answers);
}

static void *run(void *arg)
{
    struct held *held = arg;
    struct held_answer *one, *next;
    int64_t begun_ms = 0;

    while ((one = take(held, begun_ms + HELD_PAUSE_MS)) != NULL) {
        begun_ms = clock_monotonic_ms();
        settle(held, one);
        for (; one; one = next) {
            next = one->next;
            held->options.release(one->what);
        }
    }
    return NULL;
}

struct held *held_start(const struct held_options *options)
{
    struct held *held = calloc(1, sizeof *held);

    if (held == NULL)
        return NULL;
    held->options = *options;
    pthread_mutex_init(&held->lock, NULL);
    clock_condition_init(&held->changed);
    errno = pthread_create(&held->thread, NULL, run, held);
    if (errno == 0)
        return held;
    held_free(held);
    return NULL;
}

void held_stop(struct held *held)
{
    if (held == NULL)
        return;
    pthread_mutex_lock(&held->lock);
    held->stopping = true;
    pthread_cond_broadcast(&held->changed);
    pthread_mutex_unlock(&held->lock);
    pthread_join(held->thread, NULL);
}

void held_free(struct held *held)
{
    if (held == NULL)
        return;
    pthread_cond_destroy(&held->changed);
    pthread_mutex_destroy(&held->lock);
    free(held);
}

bool held_add(struct held *held, struct held_answer *answer)
{
    bool taken;

    pthread_mutex_lock(&held->lock);
    taken = !held->stopping;
    if (taken) {
        if (!held->first)
            pthread_cond_signal(&held->changed);
        answer->next = held->first;
        held->first = answer;
    }
    pthread_mutex_unlock(&held->lock);
    return taken;
}
