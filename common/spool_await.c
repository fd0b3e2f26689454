/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_await - see spool_await.h. The lock is that of spool_folder; to wait in flock() itself knows no deadline. */

#include "common/spool_await.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

enum { LOOK_MS = 5 };

static bool is_free(int lock)
{
    return flock(lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
}

bool spool_await(const char *directory, int64_t timeout_ms)
{
    int folder = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int lock = folder < 0 ? -1 : openat(folder, "lock", O_RDWR | O_CLOEXEC);
    int64_t until = clock_monotonic_ms() + timeout_ms;
    bool found_free = true;

    if (folder >= 0)
        close(folder);
    if (lock < 0)
        return true;
    while (!(found_free = is_free(lock)) && clock_monotonic_ms() < until) {
        struct timespec next = clock_monotonic_at(clock_monotonic_ms() + LOOK_MS);

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    close(lock);
    return found_free;
}
