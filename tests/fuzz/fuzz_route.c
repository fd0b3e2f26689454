/* SPDX-License-Identifier: BSD-2-Clause */
/* A request target, and the same bytes as the header of a trusted proxy. */

#include "pixeld/client.h"
#include "pixeld/route.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct network everywhere;
    const struct network_list trusted = {.item = &everywhere, .count = 1};
    struct sockaddr_in peer = {.sin_family = AF_INET};
    struct request request = {.peer = (const struct sockaddr *)&peer, .forwarded_lines = 1};
    struct slice input = slice_of((const char *)data, size);
    struct route route;

    route_parse(input, slice_str("/t"), &route);
    if (route.readable && (route.target.destination.len > DESTINATION_MAX || route.target.token.len > size))
        abort();
    route_free(&route);
    request.forwarded[0] = input;
    client_of(&request, &trusted, CLIENT_X_FORWARDED_FOR);
    client_of(&request, &trusted, CLIENT_FORWARDED);
    return 0;
}
