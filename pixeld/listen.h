/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * listen - sockets that wait for connections, opened while there are privileges to do so, or taken over from whoever
 * had them before.
 */
#ifndef PIXELD_LISTEN_H
#define PIXELD_LISTEN_H

#include "common/buf.h"
#include "common/conf.h"

#include <stdbool.h>
#include <stddef.h>

enum { LISTEN_MAX = 16 };

struct listener {
    int fd;
    bool tls;
};

struct listeners {
    struct listener item[LISTEN_MAX];
    size_t count;
    bool shared; /* another process has them too, so that connections may wait there for an answer */
};

struct listen_inherited { /* descriptors that were handed to this process; -1 once taken or closed */
    int fd[2 * LISTEN_MAX];
    size_t count;
};

/*
 * Adds a socket for each of ADDRESSES: ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH. One of INHERITED that is bound to just
 * that address is taken instead of opening another. All that was asked for or none: ERROR says which one failed and why.
 */
bool listen_add(struct listeners *listeners, const struct conf_list *addresses, bool tls,
                struct listen_inherited *inherited, struct buf *error);
/* Closes those that no address named; how many that were. */
size_t listen_close_unnamed(struct listen_inherited *inherited);
void listen_close(struct listeners *listeners);

/* Are all of these reached from this host alone? */
bool listen_is_local(const struct conf_list *addresses);

#endif
