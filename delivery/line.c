/* SPDX-License-Identifier: BSD-2-Clause */
/* line - see line.h */

#include "delivery/line.h"

/* What stands before CHARACTER, which goes too; false when it is not there. */
static bool take_until(struct slice *text, char character, struct slice *taken)
{
    size_t at = slice_find_char(*text, character);

    if (at == text->len)
        return false;
    *taken = slice_of(text->p, at);
    *text = slice_from(*text, at + 1);
    return true;
}

static struct slice without_start(struct slice s, struct slice start)
{
    return slice_starts_i(s, start) ? slice_from(s, start.len) : s;
}

/* RFC 5424 has "<22>1 " before the time, and " host tag pid msgid structured " behind it. */
static bool is_numbered(struct slice text)
{
    return text.len && text.p[0] == '<';
}

static bool take_head(struct slice *text, struct log_line *line)
{
    struct slice pid, message_id;
    bool numbered = is_numbered(*text);

    if (numbered && (!take_until(text, ' ', &pid)))
        return false;
    if (!log_time_take(text, &line->time) || !take_until(text, ' ', &line->host))
        return false;
    if (!numbered)
        return take_until(text, ' ', &line->process) && line->process.len > 1 &&
               line->process.p[--line->process.len] == ':';
    return take_until(text, ' ', &line->process) && take_until(text, ' ', &pid) &&
           take_until(text, ' ', &message_id) && take_until(text, ' ', &message_id);
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

/* "smtp" of "postfix/smtp[7]" and of "postfix-out/submission/smtp[7]". */
static bool postfix_service(struct slice process, struct slice *service)
{
    static const struct slice postfix = SLICE_TEXT("postfix");
    struct slice name = slice_of(process.p, slice_find_char(process, '['));
    struct slice before;

    if (!slice_starts_i(name, postfix))
        return false;
    while (take_until(&name, '/', &before))
        continue;
    *service = name;
    return true;
}

static bool is_sendmail(struct slice process)
{
    static const struct slice mta = SLICE_TEXT("sm-mta"), sendmail = SLICE_TEXT("sendmail");

    return slice_starts_i(process, mta) || slice_starts_i(process, sendmail);
}

void line_read(struct slice text, struct log_line *line)
{
    struct slice rest, service = {0};
    bool of_postfix;

    *line = (struct log_line){0};
    if (!take_head(&text, line))
        return;
    of_postfix = postfix_service(line->process, &service);
    if (!of_postfix && !is_sendmail(line->process))
        return;
    rest = text;
    if (take_until(&rest, ':', &line->queue_id) && line_is_queue_id(line->queue_id))
        text = slice_trim(rest);
    else
        line->queue_id = (struct slice){0};
    if (of_postfix)
        line_read_postfix(service, text, line);
    else
        line_read_sendmail(text, line);
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
