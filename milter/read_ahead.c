/* SPDX-License-Identifier: BSD-2-Clause */
/* read_ahead - see read_ahead.h */

#include "milter/read_ahead.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct connection {
    bool polled; /* by poll() below */
    size_t start;
    size_t end;
    char bytes[READ_AHEAD_BYTES];
};

/* By file descriptor; NULL for all that are no connections. */
static _Atomic(struct connection *) connections[READ_AHEAD_FDS_MAX];

static struct connection *connection_of(int fd)
{
    return fd >= 0 && fd < READ_AHEAD_FDS_MAX ? atomic_load(&connections[fd]) : NULL;
}

static bool has_bytes(const struct connection *connection)
{
    return connection->start < connection->end;
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict len)
{
    int accepted = accept4(fd, address, len, 0);

    if (accepted >= 0 && accepted < READ_AHEAD_FDS_MAX) /* without memory it is read as it comes */
        free(atomic_exchange(&connections[accepted], calloc(1, sizeof(struct connection))));
    return accepted;
}

/* The number may be that of another file before close() has returned, so what is held goes first. */
int close(int fd)
{
    if (connection_of(fd))
        free(atomic_exchange(&connections[fd], NULL));
    return (int)syscall(SYS_close, fd);
}

/* Has FD something held that is asked for? If not, it may be read ahead from now on. */
static bool holds(const struct pollfd *fd)
{
    struct connection *connection = fd->events & POLLIN ? connection_of(fd->fd) : NULL;

    if (!connection)
        return false;
    connection->polled = true;
    return has_bytes(connection);
}

/* What is held has come already: nothing is waited for then, and a single connection not even asked for. */
static int wait_for(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};
    nfds_t held = 0;
    int ready;

    for (nfds_t at = 0; at < count; at++)
        held += holds(&fds[at]);
    if (held == 0)
        return ppoll(fds, count, timeout_ms < 0 ? NULL : &timeout, NULL);
    timeout = (struct timespec){0};
    fds->revents = 0;
    ready = count > 1 ? ppoll(fds, count, &timeout, NULL) : 0;
    for (nfds_t at = 0; ready >= 0 && at < count; at++) {
        if (!holds(&fds[at]))
            continue;
        ready += fds[at].revents == 0;
        fds[at].revents |= POLLIN;
    }
    return ready;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return wait_for(fds, count, timeout_ms);
}

int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room)
{
    if (count > room / sizeof *fds)
        abort();
    return wait_for(fds, count, timeout_ms);
}

static ssize_t take(struct connection *connection, void *to, size_t size)
{
    size_t len = connection->end - connection->start;

    if (len > size)
        len = size;
    memcpy(to, connection->bytes + connection->start, len);
    connection->start += len;
    return (ssize_t)len;
}

static ssize_t read_some(int fd, void *to, size_t size)
{
    struct connection *connection = connection_of(fd);
    struct iovec into[] = {{to, size}, {connection ? connection->bytes : NULL, READ_AHEAD_BYTES}};
    bool ahead = connection && connection->polled;
    ssize_t len;

    if (connection && has_bytes(connection))
        return take(connection, to, size);
    len = readv(fd, into, ahead ? 2 : 1);
    if (len <= (ssize_t)size)
        return len;
    connection->start = 0;
    connection->end = (size_t)len - size;
    return (ssize_t)size;
}

ssize_t read(int fd, void *to, size_t size)
{
    return read_some(fd, to, size);
}

ssize_t __read_chk(int fd, void *to, size_t size, size_t room)
{
    if (size > room)
        abort();
    return read_some(fd, to, size);
}
