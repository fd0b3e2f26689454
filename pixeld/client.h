/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * client - whose request it is: the peer's address, or what trusted proxies say of it. Pure.
 *
 * When the peer is a trusted proxy, its header is read from the right: each address that a trusted hop
 * reports is believed, and the first one that is not itself trusted is the client. What stands to the left
 * of it may be invented. Reads the lists of X-Forwarded-For and of Forwarded (RFC 7239).
 */
#ifndef PIXELD_CLIENT_H
#define PIXELD_CLIENT_H

#include "common/network.h"
#include "pixeld/request.h"

#include <stdbool.h>
#include <stdint.h>

enum client_header { CLIENT_X_FORWARDED_FOR, CLIENT_FORWARDED };

struct client {
    uint8_t address[16];   /* network order */
    uint8_t address_bytes; /* 0 (not known), 4 or 16; an IPv4 address in IPv6 is given as 4 */
};

/* TRUSTED may be NULL: then the client is the peer. */
struct client client_of(const struct request *request, const struct network_list *trusted,
                        enum client_header header);

/* Zeroes what tells one household from its neighbours: behind /24 in IPv4, /48 in IPv6. */
void client_anonymize(struct client *client);

#endif
