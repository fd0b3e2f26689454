/* SPDX-License-Identifier: BSD-2-Clause */
/* line_postfix - see line_postfix.h */

#include "delivery/line_postfix.h"

static const char status_mark[] = "status=";

/* The word, and what stands in the brackets behind it. */
static bool read_status(struct slice rest, struct slice *word, struct slice *text)
{
    size_t at = slice_find_i(rest, status_mark);
    size_t end = 0;

    if (at == (size_t)-1)
        return false;
    rest = slice_from(rest, at + sizeof status_mark - 1);
    while (end < rest.len && rest.p[end] != ' ' && rest.p[end] != ',')
        end++;
    *word = slice_of(rest.p, end);
    rest = slice_trim(slice_from(rest, end));
    *text = rest.len > 1 && rest.p[0] == '(' && rest.p[rest.len - 1] == ')' ? slice_of(rest.p + 1, rest.len - 2)
                                                                           : (struct slice){0};
    return true;
}

static enum line_state state_named(struct slice word)
{
    if (slice_is(word, "sent"))
        return STATE_DELIVERED;
    if (slice_is(word, "deferred") || slice_is(word, "SOFTBOUNCE"))
        return STATE_DEFERRED;
    return slice_is(word, "bounced") ? STATE_BOUNCED : STATE_NONE; /* "deliverable": a probe, no mail */
}

static void read_attempt(struct slice rest, struct log_line *line)
{
    struct slice word;

    if (!read_status(rest, &word, &line->text))
        return;
    rest.len = (size_t)(word.p - rest.p); /* the other server's words may hold anything */
    line->state = state_named(word);
    if (line->state == STATE_NONE || !line_address_field(rest, "to", &line->recipient))
        return;
    if (line->recipient.p > rest.p && line->recipient.p[-1] == '<') /* as a list of one */
        line->recipient = slice_of(line->recipient.p - 1, line->recipient.len + 2);
    line_address_field(rest, "orig_to", &line->original);
    line_field(rest, "relay", &line->relay);
    line_field(rest, "dsn", &line->status);
    line->kind = LINE_ATTEMPT;
}

static void read_manager(struct slice rest, struct log_line *line)
{
    struct slice word, text;

    if (slice_is(rest, "removed")) {
        line->kind = LINE_REMOVED;
    } else if (line_address_field(rest, "from", &line->sender)) {
        bool ended = read_status(rest, &word, &text);

        if (!ended)
            line->kind = LINE_FROM;
        else if (slice_is(word, "expired") || slice_is(word, "force-expired"))
            line->kind = LINE_EXPIRED;
    }
}

/* "Trusted TLS connection established to mx.example[192.0.2.1]:25: TLSv1.3 with ..." */
static void read_tls(struct slice rest, struct log_line *line)
{
    static const char mark[] = "TLS connection established to ";
    size_t at = slice_find_i(rest, mark);

    if (at == (size_t)-1)
        return;
    rest = slice_from(rest, at + sizeof mark - 1);
    for (at = 0; at + 1 < rest.len && !(rest.p[at] == ':' && rest.p[at + 1] == ' '); at++)
        continue;
    line->relay = slice_of(rest.p, at);
    line->kind = LINE_TLS;
}

static void read_first(struct slice rest, const char *key, struct log_line *line)
{
    if (line_field(rest, key, &line->first) && line_is_queue_id(line->first))
        line->kind = LINE_COPY;
}

void line_read_postfix(struct slice service, struct slice rest, struct log_line *line)
{
    bool sends = slice_is(service, "smtp") || slice_is(service, "lmtp") || slice_is(service, "relay");

    if (slice_empty(line->queue_id)) {
        if (sends)
            read_tls(rest, line);
    } else if (slice_is(service, "qmgr")) {
        read_manager(rest, line);
    } else if (slice_is(service, "smtpd")) {
        read_first(rest, "orig_queue_id", line);
    } else if (slice_is(service, "pickup")) {
        read_first(rest, "orig_id", line); /* postsuper -r put it into the queue anew */
    } else if (!slice_is(service, "cleanup")) {
        read_attempt(rest, line);
    }
}
