/* SPDX-License-Identifier: BSD-2-Clause */
/* network - see network.h */

#include "common/network.h"

#include "common/decimal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

enum { V6_BITS = 128, V4_BITS = 32, V4_START = 12 };

static const uint8_t v4_prefix[V4_START] = {[10] = 0xff, [11] = 0xff};

static void set_v4(uint8_t bytes[16], const void *v4)
{
    memcpy(bytes, v4_prefix, V4_START);
    memcpy(bytes + V4_START, v4, 4);
}

static bool parse_address(struct slice text, uint8_t bytes[16], unsigned *most)
{
    char copy[INET6_ADDRSTRLEN];
    struct in_addr v4;

    if (text.len >= sizeof copy || (text.len && memchr(text.p, '\0', text.len)))
        return false;
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, &v4) == 1) {
        set_v4(bytes, &v4);
        *most = V4_BITS;
        return true;
    }
    *most = V6_BITS;
    return inet_pton(AF_INET6, copy, bytes) == 1;
}

static bool parse_bits(struct slice text, unsigned most, unsigned *bits)
{
    uint64_t value;

    if (text.len > 3 || !decimal_read(text, most, &value))
        return false;
    *bits = (unsigned)value;
    return true;
}

static bool host_bits_are_zero(const struct network *network)
{
    for (unsigned bit = network->bits; bit < V6_BITS; bit++)
        if (network->address[bit / 8] & 0x80 >> bit % 8)
            return false;
    return true;
}

bool network_parse(struct slice text, struct network *network)
{
    const char *slash = text.len ? memchr(text.p, '/', text.len) : NULL;
    struct slice address = slice_of(text.p, slash ? (size_t)(slash - text.p) : text.len);
    unsigned most;

    if (slice_empty(address) || !parse_address(address, network->address, &most))
        return false;
    network->bits = most;
    if (slash && !parse_bits(slice_from(text, address.len + 1), most, &network->bits))
        return false;
    network->bits += V6_BITS - most;
    return host_bits_are_zero(network);
}

bool network_has(const struct network *network, const uint8_t address[16])
{
    unsigned bytes = network->bits / 8, rest = network->bits % 8;

    if (memcmp(network->address, address, bytes) != 0)
        return false;
    return rest == 0 || (network->address[bytes] ^ address[bytes]) >> (8 - rest) == 0;
}

bool network_list_parse(struct network_list *list, char *const *texts, size_t count)
{
    *list = (struct network_list){0};
    if (count == 0)
        return true;
    list->item = calloc(count, sizeof *list->item);
    if (!list->item)
        return false;
    for (; list->count < count; list->count++) {
        if (!network_parse(slice_str(texts[list->count]), &list->item[list->count])) {
            network_list_free(list);
            return false;
        }
    }
    return true;
}

void network_list_free(struct network_list *list)
{
    free(list->item);
    *list = (struct network_list){0};
}

bool network_list_has_address(const struct network_list *list, const uint8_t address[16])
{
    for (size_t n = 0; n < list->count; n++)
        if (network_has(&list->item[n], address))
            return true;
    return false;
}

bool network_address_of(const struct sockaddr *address, uint8_t bytes[16])
{
    if (address && address->sa_family == AF_INET) {
        set_v4(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr);
        return true;
    }
    if (address && address->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return true;
    }
    return false;
}

bool network_list_has(const struct network_list *list, const struct sockaddr *address)
{
    uint8_t bytes[16];

    return network_address_of(address, bytes) && network_list_has_address(list, bytes);
}
