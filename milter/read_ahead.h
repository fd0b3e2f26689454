/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read_ahead - libmilter reads a packet of the MTA in two pieces and polls before each: for the header fields of one
 * mail alone that is some hundred system calls. Whatever links this file has accept(), poll(), read() and close()
 * that give libmilter the same bytes from what one call has brought.
 *
 * The four stand before the C library's for the whole process, and are those of the C library for all file descriptors
 * but the connections that accept() has given. Of those, only what has been polled here is read ahead, so that a
 * libmilter which waits by other means misses nothing. A connection is one thread's at a time, as libmilter has it. Built
 * with _FORTIFY_SOURCE libmilter reads some pieces by __read_chk() and others by read(): both must know what is held, and
 * so must both ways to wait.
 */
#ifndef MILTER_READ_AHEAD_H
#define MILTER_READ_AHEAD_H

#include <poll.h>
#include <sys/types.h>

enum {
    READ_AHEAD_BYTES = 8192,    /* held at most for one connection */
    READ_AHEAD_FDS_MAX = 65536, /* a connection with a higher number is read as it comes */
};

/* As the C library has them. */
int __poll_chk(struct pollfd *fds, nfds_t count, int timeout_ms, size_t room);
ssize_t __read_chk(int fd, void *to, size_t size, size_t room);

#endif
