/* SPDX-License-Identifier: BSD-2-Clause */
/* relay - see relay.h */

#include "delivery/relay.h"

struct relay relay_of(struct slice text)
{
    static const struct slice version6 = SLICE_TEXT("IPv6:");
    size_t opens = slice_find_char(text, '[');
    struct relay relay = {0};
    struct slice address;

    if (opens == text.len)
        return relay;
    relay.host = slice_trim(slice_of(text.p, opens));
    if (relay.host.len && relay.host.p[relay.host.len - 1] == '.')
        relay.host.len--;
    address = slice_from(text, opens + 1);
    address.len = slice_find_char(address, ']');
    if (slice_find_char(address, '/') < address.len)
        return relay; /* a unix socket, "mx.example[private/dovecot-lmtp]" */
    relay.address = slice_starts_i(address, version6) ? slice_from(address, version6.len) : address;
    if (slice_empty(relay.host))
        relay.host = relay.address;
    return relay;
}

/* "<id@host>" in the answer; one @, no blank. */
static struct slice bracketed_id(struct slice answer)
{
    for (size_t opens; (opens = slice_find_char(answer, '<')) < answer.len; answer = slice_from(answer, opens + 1)) {
        struct slice id = slice_from(answer, opens + 1);
        size_t closes = slice_find_char(id, '>');

        if (closes == id.len)
            break;
        id.len = closes;
        if (slice_find_char(id, '@') > 0 && slice_find_char(id, '@') + 1 < id.len && slice_find_char(id, ' ') == id.len)
            return id;
    }
    return (struct slice){0};
}

/* "250 Ok 010f0193c5-1f0e...-000000": hexadecimal groups and hyphens, the last of six zeros. */
static struct slice ses_id(struct slice answer)
{
    static const char end[] = "-000000";
    size_t length = sizeof end - 1;
    struct slice id = slice_trim(answer);

    for (size_t at; (at = slice_find_char(id, ' ')) < id.len;)
        id = slice_from(id, at + 1);
    if (id.len < 40 || !slice_eq(slice_from(id, id.len - length), slice_str(end)))
        return (struct slice){0};
    for (size_t at = 0; at < id.len; at++)
        if (id.p[at] != '-' && ascii_hex_value(id.p[at]) < 0)
            return (struct slice){0};
    return id;
}

/* Of "email-smtp.eu-west-1.amazonaws.com"; the oldest region goes by another name. */
static struct slice ses_region(struct slice host)
{
    static const struct slice start = SLICE_TEXT("email-smtp."), end = SLICE_TEXT(".amazonaws.com");

    if (host.len <= start.len + end.len || !slice_starts_i(host, start) ||
        !slice_eq_i(slice_from(host, host.len - end.len), end))
        return (struct slice){0};
    host = slice_of(host.p + start.len, host.len - start.len - end.len);
    return slice_is_i(host, "us-east-1") ? slice_str("email") : host;
}

bool relay_assigned_id(const struct relay *relay, struct slice answer, struct slice recipient, struct buf *id)
{
    struct slice region = ses_region(relay->host);
    struct slice bare = slice_empty(region) ? (struct slice){0} : ses_id(answer);
    struct slice whole = bracketed_id(answer);

    if (!slice_empty(bare))
        return buf_add_f(id, "%.*s@%.*s.amazonses.com", SLICE_ARG(bare), SLICE_ARG(region));
    return !slice_empty(whole) && !slice_eq_i(whole, recipient) && buf_add(id, whole.p, whole.len);
}
