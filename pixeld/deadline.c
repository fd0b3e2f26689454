/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/deadline.h"

#include "common/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

/*
 * SETTLE_MS: a thread that was about to accept when the engine was told to take no more connections shows its last one
 * within this time; nothing tells that it was. PATIENCE_MS: two checks of HAProxy, one a second.
 */
enum { LOOK_LEAST_MS = 50, LOOK_MOST_MS = 1000, SETTLE_MS = 100, PATIENCE_MS = 3000 };

/* When the header must be there, in milliseconds of CLOCK_MONOTONIC; NEVER while a request is answered. */
#define NEVER INT64_MAX

enum drain { DRAIN_NONE, DRAIN_IMPATIENT, DRAIN_ALL };

struct deadline {
    struct deadline *previous;
    struct deadline *next;
    int fd;
    atomic_int_fast64_t due_ms;
    atomic_bool between; /* answered at least once, and waiting for the next request */
    bool patient;
};

struct deadlines {
    pthread_mutex_t lock; /* of the list, of the sockets in it, and of `stopping` */
    pthread_cond_t changed;
    struct deadline *first;
    atomic_size_t count;
    atomic_uint_fast64_t missed;
    atomic_int draining; /* an enum drain */
    bool stopping;
    int64_t header_ms;
    int64_t idle_ms;
    pthread_t thread;
};

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* With the lock held. */
static void wait_ms(struct deadlines *deadlines, int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&deadlines->changed, &deadlines->lock, &until);
}

static void shut_late_ones(struct deadlines *deadlines)
{
    int64_t now = now_ms();

    for (struct deadline *one = deadlines->first; one; one = one->next)
        if (atomic_load(&one->due_ms) < now) {
            shutdown(one->fd, SHUT_RDWR);
            atomic_store(&one->due_ms, NEVER);
            atomic_fetch_add_explicit(&deadlines->missed, 1, memory_order_relaxed);
        }
}

static void *look(void *arg)
{
    struct deadlines *deadlines = arg;
    int64_t every = deadlines->header_ms / 8;

    every = every < LOOK_LEAST_MS ? LOOK_LEAST_MS : every > LOOK_MOST_MS ? LOOK_MOST_MS : every;
    pthread_mutex_lock(&deadlines->lock);
    while (!deadlines->stopping) {
        shut_late_ones(deadlines);
        wait_ms(deadlines, every);
    }
    pthread_mutex_unlock(&deadlines->lock);
    return NULL;
}

struct deadlines *deadlines_start(int64_t header_ms, int64_t idle_ms)
{
    struct deadlines *deadlines = calloc(1, sizeof *deadlines);

    if (deadlines == NULL)
        return NULL;
    deadlines->header_ms = header_ms;
    deadlines->idle_ms = idle_ms;
    pthread_mutex_init(&deadlines->lock, NULL);
    clock_condition_init(&deadlines->changed);
    errno = pthread_create(&deadlines->thread, NULL, look, deadlines);
    if (errno == 0)
        return deadlines;
    pthread_cond_destroy(&deadlines->changed);
    pthread_mutex_destroy(&deadlines->lock);
    free(deadlines);
    return NULL;
}

void deadlines_stop(struct deadlines *deadlines)
{
    if (deadlines == NULL)
        return;
    pthread_mutex_lock(&deadlines->lock);
    deadlines->stopping = true;
    pthread_cond_broadcast(&deadlines->changed);
    pthread_mutex_unlock(&deadlines->lock);
    pthread_join(deadlines->thread, NULL);
    pthread_cond_destroy(&deadlines->changed);
    pthread_mutex_destroy(&deadlines->lock);
    free(deadlines);
}

struct deadline *deadline_begin(struct deadlines *deadlines, int fd, bool patient)
{
    struct deadline *deadline = calloc(1, sizeof *deadline);

    if (deadline == NULL) {
        shutdown(fd, SHUT_RDWR);
        return NULL;
    }
    deadline->fd = fd;
    deadline->patient = patient;
    atomic_init(&deadline->due_ms, now_ms() + deadlines->header_ms);
    pthread_mutex_lock(&deadlines->lock);
    deadline->next = deadlines->first;
    if (deadline->next)
        deadline->next->previous = deadline;
    deadlines->first = deadline;
    atomic_fetch_add(&deadlines->count, 1);
    pthread_mutex_unlock(&deadlines->lock);
    return deadline;
}

void deadline_end(struct deadlines *deadlines, struct deadline *deadline)
{
    if (deadline == NULL)
        return;
    pthread_mutex_lock(&deadlines->lock);
    if (deadline->previous)
        deadline->previous->next = deadline->next;
    else
        deadlines->first = deadline->next;
    if (deadline->next)
        deadline->next->previous = deadline->previous;
    if (atomic_fetch_sub(&deadlines->count, 1) == 1)
        pthread_cond_broadcast(&deadlines->changed);
    pthread_mutex_unlock(&deadlines->lock);
    free(deadline);
}

void deadline_met(struct deadline *deadline)
{
    if (deadline == NULL)
        return;
    atomic_store_explicit(&deadline->between, false, memory_order_relaxed);
    atomic_store_explicit(&deadline->due_ms, NEVER, memory_order_relaxed);
}

static bool is_to_end(struct deadlines *deadlines, const struct deadline *deadline)
{
    return atomic_load(&deadlines->draining) >= (deadline->patient ? DRAIN_ALL : DRAIN_IMPATIENT);
}

void deadline_next(struct deadlines *deadlines, struct deadline *deadline)
{
    if (deadline == NULL)
        return;
    atomic_store_explicit(&deadline->due_ms, now_ms() + deadlines->idle_ms + deadlines->header_ms,
                          memory_order_relaxed);
    /* Sequentially consistent, as the other side in deadlines_drain(): one of both sees the other's mark.
     */
    atomic_store(&deadline->between, true);
    if (is_to_end(deadlines, deadline))
        shutdown(deadline->fd, SHUT_RD);
}

size_t deadlines_count(struct deadlines *deadlines)
{
    return atomic_load_explicit(&deadlines->count, memory_order_relaxed);
}

uint64_t deadlines_missed(struct deadlines *deadlines)
{
    return atomic_load_explicit(&deadlines->missed, memory_order_relaxed);
}

bool deadlines_draining(struct deadlines *deadlines)
{
    return atomic_load_explicit(&deadlines->draining, memory_order_relaxed) != DRAIN_NONE;
}

/* With the lock held. */
static void drain_idle_ones(struct deadlines *deadlines, enum drain which)
{
    atomic_store(&deadlines->draining, which);
    for (struct deadline *one = deadlines->first; one; one = one->next)
        if (atomic_load(&one->between) && is_to_end(deadlines, one))
            shutdown(one->fd, SHUT_RD);
}

/* With the lock held: until then, or until no connection is left and all that were about to be accepted have shown. */
static void wait_for_the_last(struct deadlines *deadlines, int64_t settled, int64_t until)
{
    int64_t left;

    while ((left = (atomic_load(&deadlines->count) ? until : settled) - now_ms()) > 0)
        wait_ms(deadlines, left);
}

bool deadlines_drain(struct deadlines *deadlines, int64_t timeout_ms)
{
    int64_t now = now_ms();
    int64_t settled = now + (timeout_ms < SETTLE_MS ? timeout_ms : SETTLE_MS);

    pthread_mutex_lock(&deadlines->lock);
    drain_idle_ones(deadlines, DRAIN_IMPATIENT);
    wait_for_the_last(deadlines, settled, now + (timeout_ms < PATIENCE_MS ? timeout_ms : PATIENCE_MS));
    drain_idle_ones(deadlines, DRAIN_ALL);
    wait_for_the_last(deadlines, settled, now + timeout_ms);
    pthread_mutex_unlock(&deadlines->lock);
    return deadlines_count(deadlines) == 0;
}
