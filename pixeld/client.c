/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

/* More proxies of ours than this stand in no chain: what is further left is not looked at. */
enum { HOPS_MAX = 16 };

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

/*
 * The first MARK in S that no quoted string (RFC 9110 5.6.4) holds, or the length of S. IN_QUOTES tells whether a
 * string was open there.
 */
static size_t find_unquoted(struct slice s, char mark, bool *in_quotes)
{
    *in_quotes = false;
    for (size_t at = 0; at < s.len; at++) {
        if (s.p[at] == '"')
            *in_quotes = !*in_quotes;
        else if (*in_quotes && s.p[at] == '\\')
            at++;
        else if (!*in_quotes && s.p[at] == mark)
            return at;
    }
    return s.len;
}

/* A string that a client left open would swallow what our proxy wrote behind it: then quotes count for nothing. */
static bool has_whole_quotes(struct slice s)
{
    bool in_quotes;

    find_unquoted(s, '\0', &in_quotes);
    return !in_quotes;
}

/* What stands before the first MARK; REST keeps what stands behind it. */
static struct slice cut_first(struct slice *rest, char mark, bool quoting)
{
    const char *found = memchr(rest->p, mark, rest->len);
    size_t end = found ? (size_t)(found - rest->p) : rest->len;
    struct slice first;
    bool in_quotes;

    if (quoting)
        end = find_unquoted(*rest, mark, &in_quotes);
    first = slice_of(rest->p, end);
    *rest = slice_from(*rest, end + 1);
    return slice_trim(first);
}

static struct slice unquoted(struct slice s)
{
    if (s.len >= 2 && s.p[0] == '"' && s.p[s.len - 1] == '"')
        return slice_of(s.p + 1, s.len - 2);
    return s;
}

/* RFC 7239 section 4: for=NODE, the first of its name, among pairs set apart by semicolons. */
static struct slice forwarded_for(struct slice element)
{
    bool quoting = has_whole_quotes(element);

    while (element.len) {
        struct slice pair = cut_first(&element, ';', quoting);

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

/* The last elements of LINE, in their order. X-Forwarded-For knows no quotes. */
static size_t split_elements(struct slice line, enum client_header header, struct slice element[HOPS_MAX])
{
    bool quoting = header == CLIENT_FORWARDED && has_whole_quotes(line);
    size_t count = 0;

    while (line.len) {
        if (count == HOPS_MAX)
            memmove(element, element + 1, --count * sizeof *element);
        element[count++] = cut_first(&line, ',', quoting);
    }
    return count;
}

/* Goes on from the right through one line. False when the client is found: nothing further left counts. */
static bool follow_line(struct slice line, const struct network_list *trusted, enum client_header header,
                        struct client *client)
{
    struct slice element[HOPS_MAX];
    size_t count = split_elements(line, header, element);

    while (count-- > 0) {
        union address address;

        if (!parse_address(header == CLIENT_FORWARDED ? forwarded_for(element[count]) : element[count], &address))
            return false; /* the last hop that said who it is */
        *client = from_sockaddr(&address.any);
        if (!network_list_has(trusted, &address.any))
            return false;
    }
    return true;
}

struct client client_of(const struct request *request, const struct network_list *trusted,
                        enum client_header header)
{
    struct client client = from_sockaddr(request->peer);
    size_t line = request->forwarded_lines;

    if (trusted == NULL || request->peer == NULL || !network_list_has(trusted, request->peer))
        return client;
    while (line > 0 && follow_line(request->forwarded[line - 1], trusted, header, &client))
        line--;
    return client;
}

void client_anonymize(struct client *client)
{
    size_t kept = client->address_bytes == 4 ? 3 : 6;

    memset(client->address + kept, 0, sizeof client->address - kept);
}
