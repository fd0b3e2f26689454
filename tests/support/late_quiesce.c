/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * late_quiesce - preloaded into spoor-pixeld: its main thread is late by 50 ms whenever it takes a descriptor out of an
 * epoll set, as on a machine that is very busy. Only libmicrohttpd does that there, when a listening socket is given up.
 */

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int epoll_ctl(int set, int operation, int fd, struct epoll_event *event)
{
    const struct timespec late = {.tv_nsec = 50 * 1000000L};

    if (operation == EPOLL_CTL_DEL && gettid() == getpid())
        nanosleep(&late, NULL);
    return (int)syscall(SYS_epoll_ctl, set, operation, fd, event);
}
