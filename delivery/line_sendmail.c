/* SPDX-License-Identifier: BSD-2-Clause */
/* line_sendmail - see line_sendmail.h */

#include "delivery/line_sendmail.h"

static const char stat_mark[] = ", stat=", reply_mark[] = ", reply=";

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

/* A reply may hold what looks like a state; the status is this MTA's own. */
static enum line_state state_of_attempt(struct slice reply, struct slice text, struct slice status)
{
    if (slice_empty(reply) || slice_empty(status))
        return state_of(text, status);
    return status.p[0] == '2' ? STATE_DELIVERED : status.p[0] == '4' ? STATE_DEFERRED : STATE_BOUNCED;
}

/* That of "550 5.7.1 no": Sendmail's own is often 5.0.0 then. Only one that says the same of success. */
static struct slice status_of_reply(struct slice reply, struct slice own)
{
    struct slice status = slice_from(reply, reply.len < 4 ? reply.len : 4);
    int dots = 0;

    status.len = slice_find_char(status, ' ');
    for (size_t at = 0; at < status.len; at++) {
        dots += status.p[at] == '.';
        if (status.p[at] != '.' && !ascii_is_digit(status.p[at]))
            return own;
    }
    return dots == 2 && own.len && own.p[0] == status.p[0] && status.p[1] == '.' ? status : own;
}

static void read_attempt(struct slice rest, struct log_line *line)
{
    size_t at = slice_find_i(rest, stat_mark);
    struct slice text, reply = {0};

    if (at == (size_t)-1)
        return;
    text = slice_from(rest, at + sizeof stat_mark - 1);
    rest.len = at;
    if ((at = slice_find_i(rest, reply_mark)) != (size_t)-1) {
        reply = slice_from(rest, at + sizeof reply_mark - 1);
        rest.len = at;
    }
    if (!line_field(rest, "to", &line->recipient))
        return;
    line_field(rest, "relay", &line->relay);
    line_field(rest, "dsn", &line->status);
    line->state = state_of_attempt(reply, text, line->status);
    line->status = status_of_reply(reply, line->status);
    line->text = slice_empty(reply) ? words_of(text) : reply;
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
    else if (slice_find_i(rest, ": Cannot send message for ") != (size_t)-1) /* behind the id of the report that goes back */
        line->kind = LINE_EXPIRED;
}
