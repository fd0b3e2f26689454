/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static struct client from_sockaddr(const struct sockaddr *address)
{
    struct client client = {.address_bytes = 0};

    if (address && address->sa_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, address, sizeof v4);
        client.address_bytes = 4;
        memcpy(client.address, &v4.sin_addr, 4);
    } else if (address && address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        bool mapped;

        memcpy(&v6, address, sizeof v6);
        mapped = IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr);
        client.address_bytes = mapped ? 4 : 16;
        memcpy(client.address, v6.sin6_addr.s6_addr + (mapped ? 12 : 0), client.address_bytes);
    }
    return client;
}

/* Behind the last occurrence of MARK; REST keeps what stands before it. */
static struct slice cut_last(struct slice *rest, char mark)
{
    size_t at = rest->len;
    struct slice last;

    while (at > 0 && rest->p[at - 1] != mark)
        at--;
    last = slice_from(*rest, at);
    rest->len = at > 0 ? at - 1 : 0;
    return slice_trim(last);
}

static struct slice unquoted(struct slice s)
{
    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
        return slice_of(s.p + 1, s.len - 2);
    return s;
}

/* RFC 7239 section 4: for=NODE among pairs set apart by semicolons. */
static struct slice forwarded_for(struct slice element)
{
    while (element.len) {
        struct slice pair = cut_last(&element, ';');

        if (slice_starts_i(pair, slice_str("for=")))
            return unquoted(slice_trim(slice_from(pair, 4)));
    }
    return slice_of("", 0);
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT, without the port and the brackets. */
static struct slice without_port(struct slice node)
{
    const char *colon = node.len ? memchr(node.p, ':', node.len) : NULL;

    if (node.len && node.p[0] == '[') {
        const char *end = memchr(node.p, ']', node.len);

        return end ? slice_of(node.p + 1, (size_t)(end - node.p) - 1) : slice_of("", 0);
    }
    if (colon && memchr(colon + 1, ':', node.len - (size_t)(colon - node.p) - 1) == NULL)
        return slice_of(node.p, (size_t)(colon - node.p));
    return node;
}

static bool parse_address(struct slice node, union address *out)
{
    struct slice host = without_port(node);
    char text[INET6_ADDRSTRLEN];

    if (host.len == 0 || host.len >= sizeof text)
        return false;
    memcpy(text, host.p, host.len);
    text[host.len] = '\0';
    memset(out, 0, sizeof *out);
    if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
        out->v4.sin_family = AF_INET;
        return true;
    }
    out->v6.sin6_family = AF_INET6;
    return inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1;
}

struct client client_of(const struct request *request, const struct network_list *trusted,
                        enum client_header header)
{
    struct client client = from_sockaddr(request->peer);

    if (trusted == NULL || request->peer == NULL || !network_list_has(trusted, request->peer))
        return client;
    for (size_t line = request->forwarded_lines; line-- > 0;) {
        struct slice rest = request->forwarded[line];

        while (rest.len) {
            struct slice element = cut_last(&rest, ',');
            union address address;

            if (!parse_address(header == CLIENT_FORWARDED ? forwarded_for(element) : element, &address))
                return client; /* the last hop that said who it is */
            client = from_sockaddr(&address.any);
            if (!network_list_has(trusted, &address.any))
                return client;
        }
    }
    return client;
}

void client_anonymize(struct client *client)
{
    size_t kept = client->address_bytes == 4 ? 3 : 6;

    memset(client->address + kept, 0, sizeof client->address - kept);
}
