/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock_shift - preloaded into a daemon: its time of day is off by the seconds that stand in the file SPOOR_CLOCK_SHIFT
 *
 * The file is read at each call, so that the clock can be set while the daemon runs. Without it the time is right.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static time_t shift(void)
{
    const char *path = getenv("SPOOR_CLOCK_SHIFT");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32];
    ssize_t len;

    if (file < 0)
        return 0;
    len = read(file, text, sizeof text - 1);
    close(file);
    text[len > 0 ? len : 0] = '\0';
    return strtol(text, NULL, 10);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);

    if (result == 0 && clock == CLOCK_REALTIME)
        now->tv_sec += shift();
    return result;
}
