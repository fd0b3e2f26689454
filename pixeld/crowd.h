/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * crowd - how many connections each client has: an IPv4 address, or in IPv6 a network of 64 bits, for every household
 * has at least one of those to itself.
 *
 * Any thread may call.
 */
#ifndef PIXELD_CROWD_H
#define PIXELD_CROWD_H

#include "common/network.h"

#include <stdbool.h>

struct crowd;

/* MOST connections for a client; those in EXEMPT (NULL: none), which must live longer, are not counted. NULL without
 * memory. */
struct crowd *crowd_new(unsigned most, const struct network_list *exempt);
void crowd_free(struct crowd *crowd); /* NULL is fine */

/* Counts a connection; false when its client has too many now. crowd_leave() belongs to it in both cases. */
bool crowd_enter(struct crowd *crowd, const struct sockaddr *address);
void crowd_leave(struct crowd *crowd, const struct sockaddr *address);

#endif
