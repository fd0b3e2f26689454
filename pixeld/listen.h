/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen - TCP sockets that wait for connections, opened while there are privileges to do so.
 */
#ifndef PIXELD_LISTEN_H
#define PIXELD_LISTEN_H

#include "common/buf.h"
#include "common/conf.h"

#include <stdbool.h>
#include <stddef.h>

enum { LISTEN_MAX = 16 };

struct listeners {
    int fd[LISTEN_MAX];
    size_t count;
};

/* ADDRESSES are ADDRESS:PORT or [ADDRESS]:PORT. All of them or none: ERROR says which one failed and why.
 */
bool listen_open(const struct conf_list *addresses, struct listeners *listeners, struct buf *error);
void listen_close(struct listeners *listeners);

#endif
