/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer - which addresses requests may go to.
 *
 * Refused is all that is no place of the public Internet (RFC 6890 and IANA's registries of special addresses), and what hides
 * an IPv4 address in an IPv6 one, unless it is allowed by name. Pure.
 */
#ifndef RELAY_PEER_H
#define RELAY_PEER_H

#include "common/network.h"

/* Judges the address that a socket is about to be connected to. WHY: a word for it, when it may not. */
bool peer_may_be(const struct sockaddr *address, const struct network_list *allowed, const char **why);

#endif
