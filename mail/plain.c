/* SPDX-License-Identifier: BSD-2-Clause */
/* plain - see plain.h */

#include "mail/plain.h"
#include "mail/link.h"
#include "mail/text_history.h"

#include <stdint.h>

enum { URL_ROOM = 64 * 1024 };

static const char sparkpost_mark[] = "[[data-msys-clicktrack=\"0\"]]";

struct plain {
    struct mail_links *links;
    struct page *page;
    struct slice text;
    size_t line, line_end; /* the line that is looked at, without its end */
    size_t growth;         /* of that line so far */
    bool line_quoted;
    bool history; /* the rest of the text is quoted */
    struct buf url, scratch;
    bool failed;
};

/* Goes on to the line in which AT lies. */
static void step_to_line(struct plain *plain, size_t at)
{
    while (at > plain->line_end || plain->line_end == SIZE_MAX) {
        const char *newline;
        struct slice line;

        plain->line = plain->line_end == SIZE_MAX ? 0 : plain->line_end + 1;
        newline = memchr(plain->text.p + plain->line, '\n', plain->text.len - plain->line);
        plain->line_end = newline ? (size_t)(newline - plain->text.p) : plain->text.len;
        plain->growth = 0;
        line = slice_of(plain->text.p + plain->line, plain->line_end - plain->line);
        plain->line_quoted = line.len && line.p[0] == '>';
        plain->history |= text_history_begins(line);
    }
}

/* How long the tracked URL may be at most, so that the line stays short. */
static size_t room_for(const struct plain *plain, size_t old_len)
{
    size_t len = plain->line_end - plain->line + plain->growth - old_len;

    if (!plain->page->short_lines)
        return SIZE_MAX;
    return len < SPLICE_LINE_MAX ? SPLICE_LINE_MAX - len : 0;
}

static void replace(struct plain *plain, size_t at, size_t len, struct slice text)
{
    splice_add(&plain->page->splices, at, len, text);
    plain->growth += text.len - len; /* may wrap below zero; the sum with the line's length does not */
}

/* Where the URL begins whose "://" stands at AT, or AT when it is none of ours to look at. */
static size_t url_start(struct slice text, size_t at)
{
    static const char *const schemes[] = {"https", "http", "https+notrack", "http+notrack"};

    for (size_t n = 0; n < sizeof schemes / sizeof schemes[0]; n++) {
        size_t len = strlen(schemes[n]);

        if (at >= len && slice_is_i(slice_of(text.p + at - len, len), schemes[n]) &&
            (at == len || !(ascii_is_alpha(text.p[at - len - 1]) || ascii_is_digit(text.p[at - len - 1]) ||
                            text.p[at - len - 1] == '+')))
            return at - len;
    }
    return at;
}

/* What mail programs take for the URL: up to white space or a bracket, without the sentence's marks. */
static size_t url_end(struct slice text, size_t start)
{
    size_t end = start;
    bool opened = false;

    while (end < text.len && (unsigned char)text.p[end] > ' ' && text.p[end] != 0x7f &&
           !strchr("<>\"`[]{}|\\^", text.p[end]))
        opened |= text.p[end++] == '(';
    while (end > start && (strchr(".,;:!?'*", text.p[end - 1]) ||
                           (text.p[end - 1] == ')' && !opened)))
        end--;
    return end;
}

static void list(struct plain *plain, enum rewrite_fate fate, unsigned index)
{
    struct rewrite_link link = {.index = index, .part = plain->page->part, .fate = fate};

    plain->failed |= !mail_links_add(plain->links, link, buf_slice(&plain->url));
}

/* The URL of our pixel or decoy, with the brackets around it. */
static void remove_url(struct plain *plain, size_t start, size_t end)
{
    struct slice text = plain->text;

    if (start > 0 && end < text.len &&
        ((text.p[start - 1] == '[' && text.p[end] == ']') || (text.p[start - 1] == '<' && text.p[end] == '>'))) {
        start--;
        end++;
    }
    replace(plain, start, end - start, slice_str(""));
    plain->page->cleaned++;
}

/* SparkPost's and Postal's ways to say no in a text; what says it is no part of the text and goes. */
static bool opted_out(struct plain *plain, size_t start, size_t end)
{
    struct slice scheme;
    size_t notrack = link_notrack(buf_slice(&plain->url), &scheme);

    if (notrack) {
        replace(plain, start, notrack, scheme);
        return true;
    }
    if (!slice_starts_i(slice_from(plain->text, end), slice_str(sparkpost_mark)))
        return false;
    replace(plain, end, sizeof sparkpost_mark - 1, slice_str(""));
    return true;
}

/* A URL that is not ours, or the destination of one that was. */
static void track(struct plain *plain, size_t start, size_t end, bool was_ours)
{
    const struct rewrite_settings *settings = plain->links->settings;
    struct link_place place = {.quoted = plain->line_quoted || plain->history, .was_ours = was_ours};
    enum rewrite_fate fate = LINK_UNWRAPPED;
    unsigned index = 0;

    if (settings->text_links && !place.quoted && opted_out(plain, start, end)) {
        list(plain, LINK_OPTED_OUT, 0);
        return;
    }
    if (settings->text_links)
        fate = mail_links_judge(plain->links, buf_slice(&plain->url), place);
    if (fate == LINK_WRAPPED)
        index = mail_links_wrap(plain->links, buf_slice(&plain->url), room_for(plain, end - start),
                                &plain->scratch, &fate);
    if (index) {
        replace(plain, start, end - start, buf_slice(&plain->scratch));
        plain->page->wrapped++;
    } else if (was_ours) {
        replace(plain, start, end - start, buf_slice(&plain->url));
        plain->page->cleaned++;
    }
    list(plain, fate, index);
}

/* The URL of a document: it becomes this mail's and its recipient's, at the same length. */
static void address_url(struct plain *plain, size_t start, size_t end, struct slice url)
{
    list(plain, LINK_OWN, 0);
    if (!mail_links_address(plain->links, url, &plain->scratch) || plain->scratch.len > url.len)
        return;
    replace(plain, start, end - start, buf_slice(&plain->scratch));
    plain->page->cleaned++;
}

static void take_url(struct plain *plain, size_t start, size_t end)
{
    const struct rewrite_settings *settings = plain->links->settings;
    struct slice url = slice_of(plain->text.p + start, end - start);
    bool ours = mail_links_begins_as_ours(plain->links, url);
    enum rewrite_own own = REWRITE_NOT_OWN;

    step_to_line(plain, start);
    if (url.len > URL_ROOM || mail_links_full(plain->links))
        return;
    if (ours)
        own = mail_links_own(plain->links, url, &plain->scratch);
    if ((own == REWRITE_OWN_VIEW || own == REWRITE_OWN_DECOY) && settings->clean) {
        remove_url(plain, start, end);
        return;
    }
    buf_reset(&plain->url);
    buf_add_slice(&plain->url, own == REWRITE_OWN_CLICK && settings->clean ? buf_slice(&plain->scratch) : url);
    if (own == REWRITE_OWN_CLICK && settings->clean)
        track(plain, start, end, true);
    else if (own == REWRITE_OWN_DOCUMENT)
        address_url(plain, start, end, url);
    else if (ours)
        list(plain, LINK_OWN, 0);
    else if (settings->text_links)
        track(plain, start, end, false);
}

/* Adds the page's block, with a blank line between it and what the author has written. */
static void add_block(struct plain *plain, struct slice block)
{
    struct splice_list *splices = &plain->page->splices;
    size_t at = text_history_place(plain->text), end = at;
    struct buf lines;

    buf_init(&lines, block.len + 16);
    while (end && ascii_is_space(plain->text.p[end - 1]))
        end--;
    if (at == plain->text.len) {
        buf_add_str(&lines, end ? "\r\n\r\n" : "");
        buf_add_slice(&lines, block);
        splice_add(splices, end, 0, buf_slice(&lines));
    } else {
        /* the line above may be one that flows on (RFC 3676), so an empty one stands between */
        buf_add_str(&lines, memchr(plain->text.p + end, '\n', at - end) == plain->text.p + at - 1 ? "\r\n" : "");
        buf_add_slice(&lines, block);
        buf_add_str(&lines, "\r\n\r\n");
        splice_add(splices, at, 0, buf_slice(&lines));
    }
    plain->page->shows_block = true;
    plain->failed |= lines.failed;
    buf_free(&lines);
}

/*
 * Behind all there is, with an empty line between: so the last line may be one that flows on (RFC 3676). Blanks stay, for those
 * behind "--" make a signature of what follows. A text without words is for programs that want one.
 */
static void add_footer(struct plain *plain, struct slice footer)
{
    struct slice text = plain->text;
    struct buf lines;

    if (!slice_trim(text).len)
        return;
    buf_init(&lines, footer.len + 16);
    buf_add_str(&lines, text.p[text.len - 1] == '\n' ? "\r\n" : "\r\n\r\n");
    buf_add_slice(&lines, footer);
    buf_add_str(&lines, text.p[text.len - 1] == '\n' ? "\r\n" : "");
    splice_add(&plain->page->splices, text.len, 0, buf_slice(&lines));
    plain->page->shows_footer = true;
    plain->failed |= lines.failed;
    buf_free(&lines);
}

bool plain_read(struct mail_links *links, struct page *page, struct slice text)
{
    struct plain plain = {.links = links, .page = page, .text = text, .line_end = SIZE_MAX};
    size_t at = 0, start;
    const char *found;
    bool done;

    splice_list_init(&page->splices);
    buf_init(&plain.url, 2 * URL_ROOM);
    buf_init(&plain.scratch, 2 * URL_ROOM);
    while (!plain.failed && at < text.len && (found = memmem(text.p + at, text.len - at, "://", 3))) {
        size_t colon = (size_t)(found - text.p);

        start = url_start(text, colon);
        at = start < colon ? url_end(text, colon + 3) : colon + 3;
        if (start < colon && at > colon + 3)
            take_url(&plain, start, at);
        else
            at = colon + 3;
    }
    if (page->block.len)
        add_block(&plain, page->block);
    if (page->footer.len)
        add_footer(&plain, page->footer);
    done = splice_settle(&page->splices) && !plain.failed && !plain.url.failed;
    buf_free(&plain.url);
    buf_free(&plain.scratch);
    return done;
}
