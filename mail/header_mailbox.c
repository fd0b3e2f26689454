/* SPDX-License-Identifier: BSD-2-Clause */
/* header_mailbox - the address of a From, Sender or Return-Path (RFC 5322 3.4); see header.h */

#include "mail/header.h"

/* What is read of the mailbox at hand. */
struct reading {
    struct buf *word;
    bool at_sign; /* outside a quoted string */
    bool gap;     /* white space since the last character */
    bool done;    /* an address, then white space: the rest up to the comma is no part of it */
};

static void start_over(struct reading *reading)
{
    buf_reset(reading->word);
    reading->at_sign = reading->gap = reading->done = false;
}

/* Behind the comment that begins at AT; comments nest. */
static size_t skip_comment(struct slice text, size_t at)
{
    size_t depth = 0;

    for (; at < text.len; at++) {
        if (text.p[at] == '\\')
            at++;
        else if (text.p[at] == '(')
            depth++;
        else if (text.p[at] == ')' && --depth == 0)
            return at + 1;
    }
    return text.len;
}

static size_t quoted_end(struct slice text, size_t at)
{
    for (at++; at < text.len; at++) {
        if (text.p[at] == '\\')
            at++;
        else if (text.p[at] == '"')
            return at + 1;
    }
    return text.len;
}

static bool joins(char c)
{
    return c == '@' || c == '.';
}

static void take(struct reading *reading, struct slice piece)
{
    struct slice word = buf_slice(reading->word);

    if (reading->gap && word.len && !joins(piece.p[0]) && !joins(word.p[word.len - 1])) {
        if (reading->at_sign)
            reading->done = true;
        else
            buf_reset(reading->word);
    }
    reading->gap = false;
    if (reading->done)
        return;
    if (piece.len == 1 && piece.p[0] == '@')
        reading->at_sign = true;
    buf_add_slice(reading->word, piece);
}

/* Where the ">" stands for the "<" before AT, or the end. */
static size_t bracket_end(struct slice text, size_t at)
{
    const char *close = memchr(text.p + at, '>', text.len - at);

    return close ? (size_t)(close - text.p) : text.len;
}

/* What stands between "<" and ">": without source route and white space. */
static bool take_bracketed(struct slice inside, struct buf *address)
{
    const char *colon;

    inside = slice_trim(inside);
    if (inside.len && inside.p[0] == '@' && (colon = memchr(inside.p, ':', inside.len)))
        inside = slice_from(inside, (size_t)(colon - inside.p) + 1);
    buf_reset(address);
    for (size_t at = 0; at < inside.len; at++)
        if (!ascii_is_space(inside.p[at]) && inside.p[at] != '<')
            buf_add_char(address, inside.p[at]);
    return !address->failed && address->len && memchr(address->data, '@', address->len);
}

bool header_mailbox_next(struct slice value, size_t *from, struct buf *address)
{
    struct reading reading = {.word = address};
    size_t at = *from, next;

    start_over(&reading);
    while (at < value.len) {
        char c = value.p[at];

        next = at + 1;
        if (c == '<') {
            next = bracket_end(value, at + 1);
            *from = next + (next < value.len);
            if (take_bracketed(slice_of(value.p + at + 1, next - at - 1), address))
                return true;
            start_over(&reading);
            next = *from;
        } else if (c == '(') {
            next = skip_comment(value, at);
            reading.gap = true;
        } else if (c == '"') {
            next = quoted_end(value, at);
            take(&reading, slice_of(value.p + at, next - at));
        } else if (c == ',' || c == ';') {
            if (reading.at_sign)
                break;
            start_over(&reading);
        } else if (c == ':') {
            start_over(&reading);
        } else if (ascii_is_space(c) || c == '\0') {
            reading.gap = true;
        } else {
            take(&reading, slice_of(value.p + at, 1));
        }
        at = next;
    }
    *from = at;
    if (reading.at_sign && !address->failed)
        return true;
    buf_reset(address);
    return false;
}

bool header_mailbox(struct slice value, struct buf *address)
{
    return header_mailbox_next(value, &(size_t){0}, address);
}
