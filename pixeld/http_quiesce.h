/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * http_quiesce - has a daemon of libmicrohttpd give up its listening socket while its threads work.
 *
 * The library (0.9.75) takes that socket out of the epoll set of each thread. The thread does so too when it comes round, and
 * who is second finds nothing and ends the process. So all threads are first summoned: each gets a connection that nobody
 * has, and stands still in the callback that announces it until the socket is given up.
 */
#ifndef PIXELD_HTTP_QUIESCE_H
#define PIXELD_HTTP_QUIESCE_H

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/socket.h>

struct http_quiesce;

struct http_quiesce *http_quiesce_new(void); /* NULL without memory */
void http_quiesce_free(struct http_quiesce *quiesce); /* when the threads are gone; NULL is fine */

/* DAEMON has so many THREADS, and room for one connection more in each. From one thread at a time. */
void http_quiesce(struct http_quiesce *quiesce, struct MHD_Daemon *daemon, unsigned threads);

/* Is this the address of a summons? It is no client, and counted nowhere. */
bool http_quiesce_summons(const struct sockaddr *address);
void http_quiesce_stand(struct http_quiesce *quiesce); /* on the summoned thread */

#endif
