/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * line_sendmail - Sendmail's lines; see line.h
 *
 * "to=<a@x>,<b@x>, ctladdr=..., delay=..., mailer=esmtp, relay=mx.x. [192.0.2.1], dsn=2.0.0, stat=Sent (ok)". Its last
 * field is the state, in words.
 */

#include "delivery/line.h"

static const char stat_mark[] = ", stat=";

static bool starts(struct slice text, const char *start)
{
    return slice_starts_i(text, slice_str(start));
}

/* By the words, else by the first digit of the status: what is neither sent nor to be tried again has failed. */
static enum line_state state_of(struct slice text, struct slice status)
{
    if (starts(text, "Sent"))
        return STATE_DELIVERED;
    if (starts(text, "queued"))
        return STATE_NONE; /* for the queue's first run */
    if (starts(text, "Deferred") || (status.len && status.p[0] == '4'))
        return STATE_DEFERRED;
    return STATE_BOUNCED;
}

/* "Sent (250 Ok)" and "Deferred: refused" without the first word; "User unknown" whole. */
static struct slice words_of(struct slice text)
{
    size_t at = slice_find_i(text, starts(text, "Sent") ? " (" : ": ");

    if (!starts(text, "Sent") && !starts(text, "Deferred"))
        return text;
    if (at == (size_t)-1)
        return (struct slice){0};
    text = slice_from(text, at + 2);
    if (text.len && text.p[text.len - 1] == ')' && text.p[-1] == '(')
        text.len--;
    return text;
}

static void read_attempt(struct slice rest, struct log_line *line)
{
    size_t at = slice_find_i(rest, stat_mark);
    struct slice text;

    if (at == (size_t)-1)
        return;
    text = slice_from(rest, at + sizeof stat_mark - 1);
    rest.len = at;
    if (!line_field(rest, "to", &line->recipient))
        return;
    line_field(rest, "relay", &line->relay);
    line_field(rest, "dsn", &line->status);
    line->state = state_of(text, line->status);
    line->text = words_of(text);
    if (line->state != STATE_NONE)
        line->kind = LINE_ATTEMPT;
}

void line_read_sendmail(struct slice rest, struct log_line *line)
{
    if (slice_empty(line->queue_id))
        return;
    if (starts(rest, "from=") && line_address_field(rest, "from", &line->sender))
        line->kind = LINE_FROM;
    else if (starts(rest, "to="))
        read_attempt(rest, line);
    else if (starts(rest, "return to sender:") || slice_find_i(rest, "Cannot send message for") != (size_t)-1)
        line->kind = LINE_EXPIRED;
}
