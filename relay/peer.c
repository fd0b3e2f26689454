/* SPDX-License-Identifier: BSD-2-Clause */
/* peer - see peer.h */

#include "relay/peer.h"

#include <netinet/in.h>

static const struct special {
    const char *network, *why;
} specials[] = {
    {"0.0.0.0/8", "unspecified"},    {"10.0.0.0/8", "private"},       {"100.64.0.0/10", "private"},
    {"127.0.0.0/8", "loopback"},     {"169.254.0.0/16", "link-local"}, {"172.16.0.0/12", "private"},
    {"192.0.0.0/24", "special"},     {"192.0.2.0/24", "special"},     {"192.88.99.0/24", "special"},
    {"192.168.0.0/16", "private"},   {"198.18.0.0/15", "private"},    {"198.51.100.0/24", "special"},
    {"203.0.113.0/24", "special"},   {"224.0.0.0/4", "multicast"},    {"240.0.0.0/4", "special"},
    {"::/128", "unspecified"},       {"::1/128", "loopback"},         {"::/96", "mapped"},
    {"64:ff9b::/96", "NAT64"},       {"64:ff9b:1::/48", "NAT64"},     {"100::/64", "special"},
    {"2001::/23", "special"},        {"2001:db8::/32", "special"},    {"2002::/16", "6to4"},
    {"3fff::/20", "special"},        {"5f00::/16", "special"},        {"fc00::/7", "private"},
    {"fe80::/10", "link-local"},     {"fec0::/10", "private"},        {"ff00::/8", "multicast"},
};

static bool is_mapped(const struct sockaddr *address)
{
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

bool peer_may_be(const struct sockaddr *address, const struct network_list *allowed, const char **why)
{
    uint8_t bytes[16];
    struct network network;

    *why = "no IP address";
    if (!network_address_of(address, bytes))
        return false;
    if (network_list_has_address(allowed, bytes))
        return true;
    *why = "mapped";
    if (is_mapped(address))
        return false;
    for (size_t n = 0; n < sizeof specials / sizeof *specials; n++) {
        *why = specials[n].why;
        if (!network_parse(slice_str(specials[n].network), &network) || network_has(&network, bytes))
            return false;
    }
    return true;
}
