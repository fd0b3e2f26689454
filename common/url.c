/* SPDX-License-Identifier: BSD-2-Clause */
/* url - see url.h */

#include "common/url.h"

#include "common/decimal.h"

#include <string.h>

enum { PATH_START = 3 }; /* "/o/" */

static bool is_unreserved(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

static bool all_printable_ascii(struct slice s)
{
    for (size_t at = 0; at < s.len; at++)
        if (s.p[at] <= 0x20 || s.p[at] >= 0x7f) /* a signed char above 0x7F is below 0 */
            return false;
    return true;
}

static size_t span_until(struct slice s, const char *stops)
{
    for (; *stops && s.len; stops++) {
        const char *found = memchr(s.p, *stops, s.len);

        if (found)
            s.len = (size_t)(found - s.p);
    }
    return s.len;
}

static bool is_ip_literal(struct slice host)
{
    if (host.len < 4 || host.p[0] != '[' || host.p[host.len - 1] != ']')
        return false;
    for (size_t at = 1; at < host.len - 1; at++) {
        char c = ascii_lower(host.p[at]);

        if (!ascii_is_digit(c) && !(c >= 'a' && c <= 'f') && c != ':' && c != '.')
            return false;
    }
    return true;
}

/*
 * Narrower than RFC 3986: what a browser might read in another way than we do (a backslash, a percent sign, a
 * template's brace) is no host for us.
 */
static bool host_ok(struct slice host)
{
    if (slice_empty(host))
        return false;
    if (host.p[0] == '[')
        return is_ip_literal(host);
    for (size_t at = 0; at < host.len; at++)
        if (!is_unreserved(host.p[at]) || host.p[at] == '~')
            return false;
    return true;
}

static bool port_ok(struct slice port)
{
    uint64_t number;

    return !port.len || (port.len <= 5 && decimal_read(port, 65535, &number));
}

static bool authority_ok(struct slice authority)
{
    struct slice host = authority;
    const char *colon = authority.len ? memrchr(authority.p, ':', authority.len) : NULL;
    size_t at = colon ? (size_t)(colon - authority.p) : authority.len;

    if (authority.len && authority.p[authority.len - 1] != ']') {
        host.len = at;
        if (!port_ok(slice_from(authority, at + 1)))
            return false;
    }
    return host_ok(host);
}

bool url_destination_ok(struct slice url)
{
    struct slice rest;

    if (url.len > DESTINATION_MAX || !all_printable_ascii(url))
        return false;
    if (slice_starts_i(url, slice_str("http://")))
        rest = slice_from(url, strlen("http://"));
    else if (slice_starts_i(url, slice_str("https://")))
        rest = slice_from(url, strlen("https://"));
    else
        return false;
    return authority_ok(slice_of(rest.p, span_until(rest, "/?#")));
}

bool url_add_view(struct buf *out, const char *tracking_url, const char *token)
{
    return buf_add_f(out, "%s/o/%s.gif", tracking_url, token);
}

bool url_add_document(struct buf *out, const char *tracking_url, const char *token)
{
    return buf_add_f(out, "%s/d/%s", tracking_url, token);
}

bool url_add_unsubscribe(struct buf *out, const char *tracking_url, const char *token)
{
    return buf_add_f(out, "%s/u/%s", tracking_url, token);
}

bool url_add_consent(struct buf *out, const char *tracking_url, const char *token)
{
    return buf_add_f(out, "%s/s/%s", tracking_url, token);
}

bool url_add_click(struct buf *out, const char *tracking_url, const char *token, struct slice destination)
{
    static const char hex[] = "0123456789ABCDEF";
    char encoded[3 * DESTINATION_MAX];
    size_t len = 0;

    if (destination.len > DESTINATION_MAX) {
        out->failed = true;
        return false;
    }
    for (size_t at = 0; at < destination.len; at++) {
        unsigned char c = (unsigned char)destination.p[at];

        if (is_unreserved((char)c)) {
            encoded[len++] = (char)c;
            continue;
        }
        encoded[len++] = '%';
        encoded[len++] = hex[c >> 4];
        encoded[len++] = hex[c & 15];
    }
    return buf_add_f(out, "%s/c/%s/", tracking_url, token) && buf_add(out, encoded, len);
}

static int hex_digit(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Exactly once: what comes out is never decoded again. */
static bool percent_decode(struct slice text, struct buf *out)
{
    char decoded[DESTINATION_MAX];
    size_t len = 0;

    for (size_t at = 0; at < text.len; at++) {
        char c = text.p[at];

        if (c == '%') {
            int high = text.len - at > 2 ? hex_digit(text.p[at + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.p[at + 2]) : -1;

            if (low < 0)
                return false;
            c = (char)(high << 4 | low);
            at += 2;
        }
        if (len == sizeof decoded)
            return false;
        decoded[len++] = c;
    }
    return len > 0 && buf_add(out, decoded, len);
}

static bool kind_of_path(struct slice target, enum token_kind *kind)
{
    if (target.len <= PATH_START || target.p[0] != '/' || target.p[2] != '/')
        return false;
    switch (target.p[1]) {
    case 'o': *kind = TOKEN_VIEW; return true;
    case 'c': *kind = TOKEN_CLICK; return true;
    case 'd': *kind = TOKEN_DOCUMENT; return true;
    case 'u': *kind = TOKEN_UNSUBSCRIBE; return true;
    case 's': *kind = TOKEN_CONSENT; return true;
    default: return false;
    }
}

bool url_target_parse(struct slice target, struct url_target *out)
{
    struct slice path = slice_of(target.p, span_until(target, "?#"));
    struct slice rest;

    *out = (struct url_target){.destination = {.cap = DESTINATION_MAX}};
    if (!kind_of_path(path, &out->kind))
        return false;
    rest = slice_from(path, PATH_START);
    out->token = slice_of(rest.p, span_until(rest, out->kind == TOKEN_VIEW ? "/." : "/"));
    rest = slice_from(rest, out->token.len);
    if (slice_empty(out->token))
        return false;
    switch (out->kind) {
    case TOKEN_VIEW:
        return slice_is_i(rest, ".gif");
    case TOKEN_CLICK:
        return percent_decode(slice_from(rest, 1), &out->destination);
    case TOKEN_DOCUMENT:
        out->rest = slice_from(rest, 1);
        return rest.len != 1;
    default:
        return slice_empty(rest);
    }
}

void url_target_free(struct url_target *target)
{
    buf_free(&target->destination);
}

bool url_target_of(struct slice url, const char *tracking_url, struct slice *target)
{
    struct slice start = slice_str(tracking_url);

    if (!slice_starts_i(url, start) || url.len == start.len || url.p[start.len] != '/')
        return false;
    *target = slice_from(url, start.len);
    return true;
}

static bool is_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

bool url_document_token(struct slice url, const char *tracking_url, struct slice *token)
{
    struct slice path;

    if (!url_target_of(url, tracking_url, &path) || path.len < PATH_START + TOKEN_TEXT || memcmp(path.p, "/d/", PATH_START) != 0)
        return false;
    *token = slice_of(path.p + PATH_START, TOKEN_TEXT);
    for (size_t at = 0; at < TOKEN_TEXT; at++)
        if (!is_word(token->p[at]))
            return false;
    path = slice_from(path, PATH_START + TOKEN_TEXT);
    return slice_empty(path) || !is_word(*path.p);
}
