/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * deadline - ends connections whose request header does not arrive in time.
 *
 * libmicrohttpd knows only silence: a client that sends one byte a second keeps a connection for ever.
 * Here each connection has a time by which its next header must be complete; a thread looks for late
 * ones and shuts their sockets down, which the library sees as the client going away. A socket is
 * touched only between deadline_begin() and deadline_end(), under a lock, so never one whose number has
 * been given to somebody else.
 */
#ifndef PIXELD_DEADLINE_H
#define PIXELD_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct deadlines;
struct deadline; /* one connection */

/* HEADER_MS for a whole header; IDLE_MS more between an answer and the next request. NULL: errno says why.
 */
struct deadlines *deadlines_start(int64_t header_ms, int64_t idle_ms);
/* After the last deadline_end(). NULL is fine. */
void deadlines_stop(struct deadlines *deadlines);

/*
 * A connection was accepted; PATIENT: from a proxy. NULL without memory; the other calls take it, and the connection is shut
 * down.
 */
struct deadline *deadline_begin(struct deadlines *deadlines, int fd, bool patient);
void deadline_end(struct deadlines *deadlines, struct deadline *deadline); /* before FD is closed */
/* The header is complete, and the body if one is waited for; no lock is taken. */
void deadline_met(struct deadline *deadline);
/* The answer is out; the next request may come. */
void deadline_next(struct deadlines *deadlines, struct deadline *deadline);

size_t deadlines_count(struct deadlines *deadlines);
uint64_t deadlines_missed(struct deadlines *deadlines); /* connections ended for their lateness */

bool deadlines_draining(struct deadlines *deadlines);

/*
 * Connections that wait between two requests are ended at once, the others once they have been answered. A patient one gets the
 * time for a request more: what a proxy sends on a connection that is ended at this moment is lost, for it may not send it again,
 * and it needs a while to see that nobody listens any more. True when none is left within TIMEOUT_MS.
 */
bool deadlines_drain(struct deadlines *deadlines, int64_t timeout_ms);

#endif
