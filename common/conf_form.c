/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_form - see conf_form.h */

#include "common/conf_form.h"

#include "common/address.h"
#include "common/conf_token.h"
#include "common/decimal.h"
#include "common/document_type.h"
#include "common/network.h"

#include <string.h>
#include <sys/un.h>

enum { NAME_LONGEST = 32, WORDS_LONGEST = 200, PORT_MOST = 65535, LOCAL_PART_MOST = 64, PATH_MOST = 256 };

static bool is_absolute(struct slice text)
{
    return text.len && text.p[0] == '/';
}

bool conf_form_path(struct slice text, struct buf *out)
{
    return is_absolute(text) && buf_add_slice(out, text);
}

/* A unit's name is made of these (systemd.unit(5)). */
static bool is_unit(struct slice text)
{
    for (size_t at = 0; at < text.len; at++)
        if (!ascii_is_alpha(text.p[at]) && !ascii_is_digit(text.p[at]) && !strchr(":-_.\\@", text.p[at]))
            return false;
    return text.len > 0 && text.len <= PATH_MOST;
}

bool conf_form_log(struct slice text, struct buf *out)
{
    static const struct slice mark = SLICE_TEXT("journal:");
    bool marked = text.len > mark.len && slice_eq(slice_of(text.p, mark.len), mark);
    struct slice which = slice_from(text, mark.len);

    if (!slice_is(text, "journal") && !(marked && is_unit(which)) && !is_absolute(marked ? which : text))
        return false;
    return buf_add_slice(out, text);
}

static bool is_name_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

static bool is_plain_name(struct slice name)
{
    for (size_t at = 0; at < name.len; at++)
        if (!is_name_char(name.p[at]))
            return false;
    return name.len > 0;
}

bool conf_form_name(struct slice text, struct buf *out)
{
    return is_plain_name(text) && text.len <= NAME_LONGEST && buf_add_slice(out, text);
}

bool conf_form_words(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++)
        if (text.p[at] < ' ' || text.p[at] > '~' || text.p[at] == '<' || text.p[at] == '>' || text.p[at] == '"')
            return false;
    return text.len > 0 && text.len <= WORDS_LONGEST && buf_add_slice(out, text);
}

static bool is_port(struct slice text)
{
    uint64_t port;

    return text.len <= 5 && decimal_read(text, PORT_MOST, &port) && port >= 1;
}

static bool is_ip(struct slice text)
{
    struct network network;

    return !(text.len && memchr(text.p, '/', text.len)) && network_parse(text, &network);
}

/* "name", "192.0.2.1" or "[2001:db8::1]" */
static bool is_host(struct slice text)
{
    struct buf out;
    bool fine;

    if (text.len > 2 && text.p[0] == '[' && text.p[text.len - 1] == ']')
        return memchr(text.p, ':', text.len) && is_ip(slice_of(text.p + 1, text.len - 2));
    buf_init(&out, ADDRESS_MAX);
    fine = text.len && text.p[0] != '[' && address_domain_normalize(text, &out) && out.len == text.len;
    buf_free(&out);
    return fine;
}

/* Cuts at the last SEPARATOR outside brackets; false when there is none. */
static bool cut_last(struct slice text, char separator, struct slice *before, struct slice *behind)
{
    const char *at = text.len ? memrchr(text.p, separator, text.len) : NULL;

    if (!at || memchr(at, ']', (size_t)(text.p + text.len - at)))
        return false;
    *before = slice_of(text.p, (size_t)(at - text.p));
    *behind = slice_from(text, before->len + 1);
    return true;
}

bool conf_form_https_url(struct slice text, struct buf *out)
{
    struct slice rest = slice_from(text, strlen("https://")), host, port, authority;

    if (!slice_starts_i(text, slice_str("https://")))
        return false;
    for (size_t at = 0; at < text.len; at++)
        if ((unsigned char)text.p[at] <= ' ' || (unsigned char)text.p[at] >= 0x7F)
            return false;
    authority = slice_of(rest.p, slice_find_char(rest, '/'));
    if (!cut_last(authority, ':', &host, &port))
        host = authority;
    else if (!is_port(port))
        return false;
    if (text.p[text.len - 1] == '/')
        text.len--;
    return is_host(host) && buf_add_slice(out, text);
}

bool conf_form_tracking_url(struct slice text, struct buf *out)
{
    struct slice rest, host, port;

    if (slice_starts_i(text, slice_str("https://")))
        rest = slice_from(text, strlen("https://"));
    else if (slice_starts_i(text, slice_str("http://")))
        rest = slice_from(text, strlen("http://"));
    else
        return false;
    if (rest.len && rest.p[rest.len - 1] == '/') {
        rest.len--;
        text.len--;
    }
    if (!cut_last(rest, ':', &host, &port))
        host = rest;
    else if (!is_port(port))
        return false;
    if (!is_host(host))
        return false;
    for (size_t at = 0; at < text.len; at++)
        buf_add_char(out, ascii_lower(text.p[at]));
    return !out->failed;
}

static bool is_socket_path(struct slice text)
{
    const size_t path_most = sizeof((struct sockaddr_un *)NULL)->sun_path - 1;

    return text.len > 1 && text.p[0] == '/' && text.len <= path_most;
}

bool conf_form_milter_listen(struct slice text, struct buf *out)
{
    const char *colon = text.len ? memchr(text.p, ':', text.len) : NULL;
    struct slice form = slice_of(text.p, colon ? (size_t)(colon - text.p) : 0);
    struct slice rest = slice_from(text, form.len + 1), port, host;
    const char *at;

    if (slice_is(form, "unix") || slice_is(form, "local"))
        return is_socket_path(rest) && buf_add_slice(out, text);
    if (!slice_is(form, "inet") && !slice_is(form, "inet6"))
        return false;
    at = rest.len ? memchr(rest.p, '@', rest.len) : NULL;
    port = slice_of(rest.p, at ? (size_t)(at - rest.p) : 0);
    host = slice_from(rest, port.len + 1);
    return is_port(port) && (is_host(host) || is_ip(host)) && buf_add_slice(out, text);
}

bool conf_form_http_listen(struct slice text, struct buf *out)
{
    struct slice address, port;
    bool bracketed;

    if (!cut_last(text, ':', &address, &port) || !is_port(port))
        return false;
    bracketed = address.len > 2 && address.p[0] == '[';
    if (bracketed ? !is_host(address) : !is_ip(address) || memchr(address.p, ':', address.len))
        return false;
    return buf_add_slice(out, text);
}

bool conf_form_admin_listen(struct slice text, struct buf *out)
{
    struct slice form = slice_str("unix:");

    if (text.len > form.len && slice_eq(slice_of(text.p, form.len), form))
        return is_socket_path(slice_from(text, form.len)) && buf_add_slice(out, text);
    return conf_form_http_listen(text, out);
}

bool conf_form_server(struct slice text, struct buf *out)
{
    struct slice rest = text, host, port;

    for (;;) {
        const char *comma = rest.len ? memchr(rest.p, ',', rest.len) : NULL;
        size_t len = comma ? (size_t)(comma - rest.p) : rest.len;

        if (!cut_last(slice_of(rest.p, len), ':', &host, &port) || !is_port(port) || !is_host(host))
            return false;
        if (!comma)
            return buf_add_slice(out, text);
        rest = slice_from(rest, len + 1);
    }
}

bool conf_form_network(struct slice text, struct buf *out)
{
    struct network network;

    return network_parse(text, &network) && buf_add_slice(out, text);
}

bool conf_form_domain(struct slice text, struct buf *out)
{
    return text.len && text.p[0] != '[' && address_domain_normalize(text, out);
}

bool conf_form_domains(struct slice text, struct buf *out)
{
    struct buf domain;
    bool fine = true;

    buf_init(&domain, out->cap);
    for (text = slice_trim(text); text.len && fine; text = slice_trim(text)) {
        size_t len = 0;

        while (len < text.len && !ascii_is_space(text.p[len]))
            len++;
        buf_reset(&domain);
        fine = conf_form_domain(slice_of(text.p, len), &domain) && buf_add_str(out, out->len ? " " : "") &&
               buf_add_slice(out, buf_slice(&domain));
        text = slice_from(text, len);
    }
    buf_free(&domain);
    return fine && out->len > 0;
}

bool conf_form_full_domain(struct slice text, struct buf *out)
{
    return conf_form_domain(text, out) && memchr(out->data, '.', out->len) && !memchr(out->data, '_', out->len);
}

bool conf_form_address(struct slice text, struct buf *out)
{
    return address_normalize(text, out);
}

/* RFC 5321 4.5.3.1.1 and .3: 64 octets left of the @, 256 for all of it with its brackets. */
static bool fits_a_path(struct slice name, struct slice domain)
{
    size_t local = name.len + 1 + CONF_TOKEN_TEXT;

    return local <= LOCAL_PART_MOST && local + 1 + domain.len <= PATH_MOST - 2;
}

bool conf_form_return_path(struct slice text, struct buf *out)
{
    size_t plus = slice_find_i(text, CONF_TOKEN);
    struct slice name = slice_of(text.p, plus);
    struct buf domain;
    bool fine;

    if (plus == (size_t)-1 || !is_plain_name(name))
        return false;
    buf_init(&domain, ADDRESS_MAX);
    fine = conf_form_domain(slice_from(text, plus + strlen(CONF_TOKEN)), &domain) &&
           fits_a_path(name, buf_slice(&domain));
    for (size_t at = 0; fine && at < name.len; at++)
        buf_add_char(out, ascii_lower(name.p[at]));
    fine = fine && buf_add_str(out, CONF_TOKEN) && buf_add_slice(out, buf_slice(&domain));
    buf_free(&domain);
    return fine;
}

bool conf_form_whom(struct slice text, struct buf *out)
{
    return text.len && memchr(text.p, '@', text.len) ? address_normalize(text, out) : conf_form_domain(text, out);
}

bool conf_form_crm_bcc(struct slice text, struct buf *out)
{
    size_t blank;
    struct buf part;
    bool fine;

    text = slice_trim(text);
    blank = slice_find_char(text, ' ');
    if (blank == text.len)
        return address_normalize(text, out);
    buf_init(&part, out->cap);
    fine = conf_form_whom(slice_of(text.p, blank), &part) && buf_add_slice(out, buf_slice(&part)) && buf_add_char(out, ' ');
    buf_reset(&part);
    fine = fine && address_normalize(slice_trim(slice_from(text, blank)), &part) && buf_add_slice(out, buf_slice(&part));
    buf_free(&part);
    return fine;
}

/* LEFT+TOKEN may have 64 bytes (RFC 5321 4.5.3.1.1), and mailto: needs no escapes for these (RFC 6068 2). */
bool conf_form_unsubscribe_address(struct slice text, struct buf *out)
{
    enum { LEFT_MAX = 64 - 1 - 52 };
    size_t left = 0;

    if (!address_normalize(text, out))
        return false;
    while (left < out->len && (ascii_is_alpha(out->data[left]) || ascii_is_digit(out->data[left]) ||
                               memchr("._-", out->data[left], 3)))
        left++;
    return left > 0 && left <= LEFT_MAX && out->data[left] == '@';
}

bool conf_form_proxy_header(struct slice text, struct buf *out)
{
    return (slice_is(text, "x-forwarded-for") || slice_is(text, "forwarded")) && buf_add_slice(out, text);
}

bool conf_form_link_domain(struct slice text, struct buf *out)
{
    struct buf domain;
    bool below = slice_starts_i(text, slice_str("*.")), fine;

    buf_init(&domain, out->cap);
    fine = conf_form_domain(slice_from(text, below ? 2 : 0), &domain) && buf_add_str(out, below ? "*." : "") &&
           buf_add_slice(out, buf_slice(&domain));
    buf_free(&domain);
    return fine;
}

/* A pattern of stars alone would stop all tracking without saying so. */
bool conf_form_pattern(struct slice text, struct buf *out)
{
    bool says_something = false;

    for (size_t at = 0; at < text.len; at++) {
        if (text.p[at] <= ' ' || text.p[at] >= 0x7f)
            return false;
        says_something |= text.p[at] != '*';
        buf_add_char(out, ascii_lower(text.p[at]));
    }
    return says_something && !out->failed;
}

bool conf_form_document_type(struct slice text, struct buf *out)
{
    enum document_type type = document_type_of(text);

    return type != DOCUMENT_TYPES && buf_add_str(out, document_type_ending(type));
}

bool conf_form_shard(struct slice text, struct buf *out)
{
    struct slice conninfo = slice_trim(slice_from(text, 1));

    if (text.len < 3 || text.p[0] < '1' || text.p[0] > '7' || text.p[1] != ' ' || slice_empty(conninfo))
        return false;
    return buf_add(out, text.p, 2) && buf_add_slice(out, conninfo);
}
