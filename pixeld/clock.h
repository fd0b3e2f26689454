/* SPDX-License-Identifier: BSD-2-Clause */
/* clock - microseconds since 1970 UTC, as in all records. */
#ifndef PIXELD_CLOCK_H
#define PIXELD_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t clock_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

#endif
