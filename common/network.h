/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network - lists of IP networks, and whether an address is in one.
 *
 * Written as CIDR (RFC 4632, RFC 4291 2.3): "10.0.0.0/8", "2001:db8::/32"; without a length it is one address. An
 * IPv4 address inside IPv6 (::ffff:192.0.2.1) counts as IPv4, in the list and in the question. Bits behind
 * the length must be zero: "10.1.0.0/8" is a slip of the pen, and refused. A list is read-only once made.
 */
#ifndef COMMON_NETWORK_H
#define COMMON_NETWORK_H

#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct network {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;       /* of the 128 */
};

struct network_list {
    struct network *item; /* owned */
    size_t count;
};

bool network_parse(struct slice text, struct network *network);
bool network_has(const struct network *network, const uint8_t address[16]);

/* False, with the list empty, at the first text that is no network or when memory is short. */
bool network_list_parse(struct network_list *list, char *const *texts, size_t count);
void network_list_free(struct network_list *list);
bool network_list_has_address(const struct network_list *list, const uint8_t address[16]);
/* False also for what is neither IPv4 nor IPv6. NULL is in no list. */
bool network_list_has(const struct network_list *list, const struct sockaddr *address);

/* The 16 bytes of an IPv4 or IPv6 address; false for other families and NULL. */
bool network_address_of(const struct sockaddr *address, uint8_t bytes[16]);

#endif
