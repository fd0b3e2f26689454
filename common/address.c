/* SPDX-License-Identifier: BSD-2-Clause */
/* address - see address.h */

#include "common/address.h"

#include <string.h>

#include <idn2.h>

enum { DOMAIN_MAX = 253, LABEL_MAX = 63 };

bool address_normal_text(struct slice address, char text[ADDRESS_MAX + 1])
{
    struct buf normal;
    bool ok;

    buf_init(&normal, ADDRESS_MAX);
    ok = address_normalize(address, &normal);
    text[0] = '\0';
    if (ok)
        memcpy(text, normal.data, normal.len + 1);
    buf_free(&normal);
    return ok;
}

struct slice address_domain(struct slice address)
{
    const char *at = address.len ? memrchr(address.p, '@', address.len) : NULL;

    return at ? slice_from(address, (size_t)(at - address.p) + 1) : slice_of(address.p, 0);
}

static bool is_ascii(struct slice s)
{
    for (size_t at = 0; at < s.len; at++)
        if ((unsigned char)s.p[at] >= 0x80)
            return false;
    return true;
}

static bool is_label_char(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_';
}

static bool label_ok(struct slice label)
{
    if (label.len == 0 || label.len > LABEL_MAX || label.p[0] == '-' || label.p[label.len - 1] == '-')
        return false;
    for (size_t at = 0; at < label.len; at++)
        if (!is_label_char(label.p[at]))
            return false;
    return true;
}

static bool add_lower(struct buf *out, struct slice s)
{
    for (size_t at = 0; at < s.len; at++)
        if (!buf_add_char(out, ascii_lower(s.p[at])))
            return false;
    return true;
}

static bool add_ascii_domain(struct slice domain, struct buf *out)
{
    struct slice rest = domain;

    if (domain.len == 0 || domain.len > DOMAIN_MAX)
        return false;
    for (;;) {
        const char *dot = rest.len ? memchr(rest.p, '.', rest.len) : NULL;
        size_t len = dot ? (size_t)(dot - rest.p) : rest.len;

        if (!label_ok(slice_of(rest.p, len)))
            return false;
        if (!dot)
            return add_lower(out, domain);
        rest = slice_from(rest, len + 1);
    }
}

/* "[192.0.2.1]", "[IPv6:2001:db8::1]": RFC 5321 4.1.3 */
static bool add_literal(struct slice domain, struct buf *out)
{
    if (domain.len < 3 || domain.len > DOMAIN_MAX || domain.p[domain.len - 1] != ']')
        return false;
    for (size_t at = 1; at < domain.len - 1; at++)
        if (!is_label_char(domain.p[at]) && domain.p[at] != '.' && domain.p[at] != ':')
            return false;
    return add_lower(out, domain);
}

static bool add_unicode_domain(struct slice domain, struct buf *out)
{
    char text[4 * DOMAIN_MAX + 1];
    char *ascii = NULL;
    bool added;

    if (domain.len >= sizeof text || memchr(domain.p, '\0', domain.len))
        return false;
    memcpy(text, domain.p, domain.len);
    text[domain.len] = '\0';
    if (idn2_to_ascii_8z(text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
        return false;
    added = add_ascii_domain(slice_str(ascii), out);
    idn2_free(ascii);
    return added;
}

static bool add_domain(struct slice domain, struct buf *out)
{
    if (domain.len > 1 && domain.p[domain.len - 1] == '.')
        domain.len--;
    if (slice_empty(domain))
        return false;
    if (domain.p[0] == '[')
        return add_literal(domain, out);
    return is_ascii(domain) ? add_ascii_domain(domain, out) : add_unicode_domain(domain, out);
}

bool address_domain_normalize(struct slice domain, struct buf *out)
{
    buf_reset(out);
    if (add_domain(slice_trim(domain), out))
        return true;
    buf_reset(out);
    return false;
}

/* RFC 5322 atext, the dot, and what RFC 6531 adds. A dot may stand anywhere: some receivers hand out such. */
static bool is_plain(char c)
{
    if (ascii_is_alpha(c) || ascii_is_digit(c) || (unsigned char)c >= 0x80)
        return true;
    return c && strchr("!#$%&'*+-/=?^_`{|}~.", c);
}

/* The local part without quotes and backslashes; false for control bytes, and for what lacks needed quotes. */
static bool unquote(struct slice local, struct buf *out)
{
    bool quoted = local.len >= 2 && local.p[0] == '"' && local.p[local.len - 1] == '"';

    if (quoted)
        local = slice_of(local.p + 1, local.len - 2);
    for (size_t at = 0; at < local.len; at++) {
        char c = local.p[at];

        if (quoted && c == '\\') {
            if (++at == local.len)
                return false;
            c = local.p[at];
        } else if (quoted ? c == '"' : !is_plain(c)) {
            return false;
        }
        if ((unsigned char)c < 0x20 || c == 0x7f || !buf_add_char(out, ascii_lower(c)))
            return false;
    }
    return quoted || out->len > 0;
}

static bool add_local(struct slice plain, struct buf *out)
{
    bool needs_quotes = slice_empty(plain);

    for (size_t at = 0; at < plain.len; at++)
        needs_quotes |= !is_plain(plain.p[at]);
    if (!needs_quotes)
        return buf_add_slice(out, plain);
    buf_add_char(out, '"');
    for (size_t at = 0; at < plain.len; at++) {
        if (plain.p[at] == '"' || plain.p[at] == '\\')
            buf_add_char(out, '\\');
        buf_add_char(out, plain.p[at]);
    }
    return buf_add_char(out, '"');
}

/* Takes off "<", ">" and "@relay,@relay:". */
static struct slice without_path(struct slice address)
{
    const char *colon;

    address = slice_trim(address);
    if (address.len >= 2 && address.p[0] == '<' && address.p[address.len - 1] == '>')
        address = slice_trim(slice_of(address.p + 1, address.len - 2));
    colon = address.len && address.p[0] == '@' ? memchr(address.p, ':', address.len) : NULL;
    return colon ? slice_from(address, (size_t)(colon - address.p) + 1) : address;
}

bool address_normalize(struct slice address, struct buf *out)
{
    struct slice bare = without_path(address), domain = address_domain(bare);
    struct buf plain;
    bool made;

    buf_reset(out);
    if (domain.len + 1 >= bare.len || bare.len > 4 * ADDRESS_MAX)
        return false;
    buf_init(&plain, ADDRESS_MAX);
    made = unquote(slice_of(bare.p, bare.len - domain.len - 1), &plain) &&
           add_local(buf_slice(&plain), out) && buf_add_char(out, '@') && add_domain(domain, out) &&
           out->len <= ADDRESS_MAX;
    buf_free(&plain);
    if (!made)
        buf_reset(out);
    return made;
}
