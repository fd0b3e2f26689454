/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock - the two clocks: one that never jumps, for deadlines, and the time of day, for records.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

static inline int64_t clock_monotonic_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* what is left of a deadline; 0 once it has passed */
static inline int clock_left_ms(int64_t until_ms)
{
    int64_t left = until_ms - clock_monotonic_ms();

    return left > 0 ? (int)left : 0;
}

/* a condition that is waited for by clock_monotonic_at() */
static inline void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

/* for a condition variable of CLOCK_MONOTONIC */
static inline struct timespec clock_monotonic_at(int64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
}

/* MS from now, for what waits by the time of day: a condition variable as it comes, pthread_timedjoin_np() */
static inline struct timespec clock_wall_in(int64_t ms)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += (time_t)(ms / 1000);
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    return until;
}

/* microseconds since 1970 UTC */
static inline int64_t clock_wall_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
