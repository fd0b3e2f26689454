/* SPDX-License-Identifier: BSD-2-Clause */
/* line - see line.h */

#include "delivery/line.h"

static struct slice without_start(struct slice s, struct slice start)
{
    return slice_starts_i(s, start) ? slice_from(s, start.len) : s;
}

/* Postfix's short ids are of capital digits, its long ones and Sendmail's of letters and digits. */
bool line_is_queue_id(struct slice text)
{
    if (text.len < 5 || text.len > 32)
        return false;
    for (size_t at = 0; at < text.len; at++)
        if (!ascii_is_digit(text.p[at]) && !ascii_is_alpha(text.p[at]))
            return false;
    return true;
}

bool line_field(struct slice rest, const char *key, struct slice *value)
{
    struct slice name = slice_str(key);

    for (size_t at = 0; at + name.len < rest.len; at++) {
        struct slice here = slice_from(rest, at);

        if (slice_starts_i(here, name) && here.p[name.len] == '=') {
            here = slice_from(here, name.len + 1);
            for (at = 0; at < here.len && !(here.p[at] == ',' && (at + 1 == here.len || here.p[at + 1] == ' ')); at++)
                continue;
            *value = slice_of(here.p, at);
            return true;
        }
        at += slice_find_char(here, ' ');
    }
    return false;
}

/* To the first ">" that a comma, a blank or the end follows: a quoted local part may hold others. */
static struct slice bracketed(struct slice text)
{
    for (size_t at = 0; at < text.len; at++)
        if (text.p[at] == '>' && (at + 1 == text.len || text.p[at + 1] == ',' || text.p[at + 1] == ' '))
            return slice_of(text.p, at);
    return (struct slice){0};
}

bool line_address_field(struct slice rest, const char *key, struct slice *address)
{
    struct slice value;

    if (!line_field(rest, key, &value))
        return false;
    if (value.len == 0 || value.p[0] != '<') {
        *address = value;
        return true;
    }
    *address = bracketed(slice_of(value.p + 1, (size_t)(rest.p + rest.len - value.p - 1)));
    return true;
}

bool line_next_recipient(struct slice *recipients, struct slice *address)
{
    struct slice rest = *recipients;

    if (slice_empty(rest))
        return false;
    if (rest.p[0] == '<') {
        *address = bracketed(slice_from(rest, 1));
        rest = address->p ? slice_from(rest, address->len + 2) : slice_from(rest, rest.len);
    } else {
        *address = slice_of(rest.p, slice_find_char(rest, ','));
        rest = slice_from(rest, address->len);
    }
    *recipients = slice_from(rest, rest.len > 0);
    return address->len > 0;
}

struct slice line_goes_on_as(struct slice text)
{
    static const char *const words[] = {"queued as ", "forwarded as "};

    for (size_t n = 0; n < sizeof words / sizeof *words; n++) {
        size_t at = slice_find_i(text, words[n]);
        struct slice id;

        if (at == (size_t)-1)
            continue;
        id = without_start(slice_from(text, at), slice_str(words[n]));
        for (at = 0; at < id.len && (ascii_is_digit(id.p[at]) || ascii_is_alpha(id.p[at])); at++)
            continue;
        id.len = at;
        return line_is_queue_id(id) ? id : (struct slice){0};
    }
    return (struct slice){0};
}
