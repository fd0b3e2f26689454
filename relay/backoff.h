/* SPDX-License-Identifier: BSD-2-Clause */
/* backoff - how long to wait after so many failures; doubles from FIRST to MOST. Pure. */
#ifndef RELAY_BACKOFF_H
#define RELAY_BACKOFF_H

#include <stdint.h>

/* FAILURES: 1 after the first. CHANCE: 0 to 255; spreads the wait over a quarter, so that not all come back together. */
static inline int64_t backoff_ms(int64_t failures, int64_t first_ms, int64_t most_ms, uint8_t chance)
{
    int64_t wait_ms = first_ms;

    while (failures-- > 1 && wait_ms < most_ms)
        wait_ms *= 2;
    if (wait_ms > most_ms)
        wait_ms = most_ms;
    return wait_ms - wait_ms / 4 * chance / 255;
}

#endif
