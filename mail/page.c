/* SPDX-License-Identifier: BSD-2-Clause */
/* page - see page.h */

#include "mail/page.h"
#include "common/url.h"
#include "mail/html.h"
#include "mail/link.h"
#include "mail/page_end.h"
#include "mail/quoted.h"
#include "mail/reference.h"

#include <stdint.h>
#include <stdlib.h>

enum {
    HREF_MAX = 64 * 1024,
    LINK_TEXT_MAX = 300,
    URL_ROOM = 1024 * 1024
};
static const size_t nowhere = PAGE_NOWHERE;

/* A link whose end has not been seen: its visible text may still decide. */
struct open_link {
    bool open;
    bool undecided; /* would be wrapped but for its text */
    bool unwrap;    /* is ours: when it is not wrapped anew, its destination comes back */
    struct html_attribute href;
    enum rewrite_fate fate;
    struct buf url; /* what it leads to */
    struct buf text;
};

struct reading {
    struct mail_links *links;
    struct page *page;
    struct html_scanner scanner;
    struct html_token token;
    struct quoted quoted;
    struct open_link link;
    bool decoy_open; /* the end tag of an old decoy is still to come */
    struct buf scratch;
    bool new_text; /* something was written before the history */
    size_t quote;  /* where the history begins that follows new text */
    size_t body_open, body_close, html_close;
    bool failed;
};

/* Puts URL where the open link's old one was. */
static void replace_url(struct reading *reading, struct slice url)
{
    const struct html_attribute *href = &reading->link.href;
    struct splice_list *splices = &reading->page->splices;

    if (slice_eq(url, href->value))
        return;
    splice_add_break(splices, href->at);
    splice_add(splices, href->value_at, href->value.len, url);
    splice_add_break(splices, href->end);
}

static void judge_by_text(struct open_link *link)
{
    if (link_text_is_url(buf_slice(&link->text)))
        link->fate = LINK_TEXT_IS_URL;
    else if (link_is_unsubscribe(slice_str(""), buf_slice(&link->text)))
        link->fate = LINK_UNSUBSCRIBE;
    else
        link->fate = LINK_WRAPPED;
}

/* How long a URL may be to have a line of its own. */
static size_t longest_url(const struct reading *reading)
{
    return reading->page->short_lines ? PAGE_URL_LINE_MAX : SIZE_MAX;
}

/* A link of ours that is not wrapped anew gets its destination back. */
static void unwrap(struct reading *reading)
{
    struct open_link *link = &reading->link;

    buf_reset(&reading->scratch);
    reference_escape(buf_slice(&link->url), link->href.quote, &reading->scratch);
    if (reading->scratch.failed || reading->scratch.len > longest_url(reading)) {
        link->fate = LINK_OWN;
        return;
    }
    replace_url(reading, buf_slice(&reading->scratch));
    reading->page->cleaned++;
}

/* The link ends here: all is known. */
static void close_link(struct reading *reading)
{
    struct open_link *link = &reading->link;
    unsigned index = 0;

    if (!link->open)
        return;
    link->open = false;
    if (link->undecided)
        judge_by_text(link);
    if (link->fate == LINK_WRAPPED)
        index = mail_links_wrap(reading->links, buf_slice(&link->url), longest_url(reading), &reading->scratch,
                                &link->fate);
    if (index) {
        replace_url(reading, buf_slice(&reading->scratch));
        reading->page->wrapped++;
    } else if (link->unwrap) {
        unwrap(reading);
    }
    reading->failed |= !mail_links_add(
        reading->links, (struct rewrite_link){.index = index, .part = reading->page->part, .fate = link->fate},
        buf_slice(&link->url));
}

static void remove_tag(struct reading *reading)
{
    const struct html_token *token = &reading->token;

    splice_remove(&reading->page->splices, token->at, token->end - token->at);
}

/* A click of ours is to be taken back: its destination becomes the link's URL. */
static bool take_back(struct reading *reading)
{
    struct open_link *link = &reading->link;

    if (reading->scratch.failed)
        return false;
    buf_reset(&link->url);
    return buf_add_slice(&link->url, buf_slice(&reading->scratch));
}

/* An old decoy: its tags go, the end tag when it comes. What an editor has put between them stays. */
static void take_old_decoy(struct reading *reading, size_t splices)
{
    reading->page->splices.count = splices; /* those for its attributes go with the tag */
    remove_tag(reading);
    reading->page->cleaned++;
    reading->decoy_open = true;
    reading->link.open = false;
}

/* The link to a document becomes this mail's and its recipient's. */
static void address_link(struct reading *reading)
{
    struct open_link *link = &reading->link;
    struct buf escaped;

    if (!mail_links_address(reading->links, buf_slice(&link->url), &reading->scratch))
        return;
    buf_init(&escaped, URL_ROOM);
    reading->failed |= !reference_escape(buf_slice(&reading->scratch), link->href.quote, &escaped);
    if (escaped.len <= longest_url(reading)) {
        replace_url(reading, buf_slice(&escaped));
        reading->page->cleaned++;
    }
    buf_free(&escaped);
}

/* A URL that begins as ours. False when nothing more is to be said of the link. */
static bool take_own(struct reading *reading, size_t splices)
{
    struct open_link *link = &reading->link;
    enum rewrite_own own = mail_links_own(reading->links, buf_slice(&link->url), &reading->scratch);
    bool clean = reading->links->settings->clean;

    link->fate = LINK_OWN;
    link->unwrap = clean && own == REWRITE_OWN_CLICK && take_back(reading);
    if (own == REWRITE_OWN_DOCUMENT)
        address_link(reading);
    if (clean && own == REWRITE_OWN_DECOY)
        take_old_decoy(reading, splices);
    return link->unwrap;
}

/* Takes an opt-out attribute out, with the white space before it. */
static void remove_attribute(struct reading *reading, const struct html_attribute *attribute)
{
    size_t at = attribute->at;

    while (at > reading->token.attributes && ascii_is_space(reading->scanner.text.p[at - 1]))
        at--;
    splice_add(&reading->page->splices, at, attribute->end - at, slice_str(""));
}

/* The first href into HREF and what the marks say. Marks that are no HTML are taken out where links are
 * tracked. */
static enum link_mark read_link_tag(struct reading *reading, struct html_attribute *href)
{
    struct html_attribute attribute;
    size_t at = reading->token.attributes;
    enum link_mark said = LINK_MARK_NONE, mark;

    *href = (struct html_attribute){0};
    while (html_next_attribute(&reading->scanner, &reading->token, &at, &attribute)) {
        if (!href->name.p && slice_is_i(attribute.name, "href"))
            *href = attribute;
        mark = link_mark_of(&attribute);
        if (mark == LINK_MARK_GOES && reading->links->settings->track_links && !reading->quoted.inside)
            remove_attribute(reading, &attribute);
        if (mark != LINK_MARK_NONE && said != LINK_MARK_UNSUBSCRIBE)
            said = mark;
    }
    return said;
}

/* "https+notrack:" becomes plain "https:". True when it was one. */
static bool take_notrack(struct reading *reading)
{
    struct slice url = buf_slice(&reading->link.url), value = reading->link.href.value, scheme;
    size_t len = link_notrack(url, &scheme);

    if (len == 0 || !reading->links->settings->track_links || !slice_starts_i(value, slice_of(url.p, len)))
        return len > 0;
    splice_add(&reading->page->splices, reading->link.href.value_at, len, scheme);
    return true;
}

/* No URL that can be signed is written this long, whatever references it is made of. */
static struct slice looked_at(struct slice value)
{
    return slice_of(value.p, value.len < HREF_MAX ? value.len : HREF_MAX);
}

static void open_link(struct reading *reading)
{
    struct open_link *link = &reading->link;
    enum link_mark mark;
    size_t splices;
    bool foreign;

    close_link(reading);
    reading->decoy_open = false;
    if (mail_links_full(reading->links))
        return;
    splices = reading->page->splices.count;
    mark = read_link_tag(reading, &link->href);
    if (!link->href.has_value)
        return;
    link->open = true;
    link->undecided = link->unwrap = false;
    buf_reset(&link->text);
    reading->failed |= !link_url(looked_at(link->href.value), &link->url, &foreign);
    foreign |= link->href.value.len > HREF_MAX;
    if (mail_links_begins_as_ours(reading->links, buf_slice(&link->url)) && !take_own(reading, splices))
        return;
    if (take_notrack(reading)) {
        link->fate = LINK_OPTED_OUT;
        return;
    }
    link->fate = mail_links_judge(
        reading->links, buf_slice(&link->url),
        (struct link_place){.foreign = foreign, .quoted = reading->quoted.inside, .was_ours = link->unwrap});
    if (mark == LINK_MARK_UNSUBSCRIBE)
        link->fate = LINK_UNSUBSCRIBE;
    else if (mark != LINK_MARK_NONE && link->fate != LINK_NOT_HTTP && link->fate != LINK_QUOTED)
        link->fate = LINK_OPTED_OUT;
    link->undecided = link->fate == LINK_WRAPPED;
}

/* Is the picture an old pixel of ours? Then it goes. */
static bool take_old_pixel(struct reading *reading)
{
    struct html_attribute attribute;
    size_t at = reading->token.attributes;
    struct buf url;
    bool foreign, ours = false;

    if (!reading->links->settings->clean)
        return false;
    while (html_next_attribute(&reading->scanner, &reading->token, &at, &attribute)) {
        if (!slice_is_i(attribute.name, "src"))
            continue;
        buf_init(&url, URL_ROOM);
        ours = link_url(looked_at(attribute.value), &url, &foreign) &&
               mail_links_own(reading->links, buf_slice(&url), &reading->scratch) == REWRITE_OWN_VIEW;
        buf_free(&url);
        break;
    }
    if (ours) {
        remove_tag(reading);
        reading->page->cleaned++;
    }
    return ours;
}

static void take_start_tag(struct reading *reading)
{
    const struct html_token *token = &reading->token;

    if (!token->live)
        return;
    if (html_is(token, "a")) {
        open_link(reading);
    } else if (html_is(token, "area")) {
        open_link(reading);
        close_link(reading);
        reading->decoy_open = false;
    } else if (html_is(token, "img")) {
        if (!take_old_pixel(reading) && !reading->quoted.inside)
            reading->new_text = true;
    } else if (html_is(token, "body") && reading->body_open == nowhere) {
        reading->body_open = token->end;
    }
}

static void end_link(struct reading *reading)
{
    close_link(reading);
    if (reading->decoy_open)
        remove_tag(reading);
    reading->decoy_open = false;
}

static void take_end_tag(struct reading *reading)
{
    const struct html_token *token = &reading->token;

    if (!token->live)
        return;
    if (html_is(token, "a"))
        end_link(reading);
    else if (html_is(token, "body"))
        reading->body_close = token->at;
    else if (html_is(token, "html"))
        reading->html_close = token->at;
}

/* White space, and the kinds of it that editors leave in empty lines. */
static bool is_blank(struct slice text)
{
    static const char *const blanks[] = {"&nbsp;", "&#160;", "&#xa0;", "\xc2\xa0", "\xa0"};
    bool more = true;

    while (more) {
        text = slice_trim(text);
        more = false;
        for (size_t at = 0; at < sizeof blanks / sizeof blanks[0] && !more; at++)
            if (text.len && slice_starts_i(text, slice_str(blanks[at]))) {
                text = slice_from(text, strlen(blanks[at]));
                more = true;
            }
    }
    return slice_empty(text);
}

/* A program that makes links of what looks like one shows the URL too: with the same token as the link itself. */
static void address_text(struct reading *reading, struct slice text)
{
    struct slice ours = slice_str(reading->links->settings->tracking_url);
    struct slice token;
    size_t at = 0;
    const char *found;

    while (ours.len && (found = memmem(text.p + at, text.len - at, ours.p, ours.len))) {
        struct slice url = slice_from(text, (size_t)(found - text.p));

        at = (size_t)(found - text.p) + ours.len;
        if (!url_document_token(url, ours.p, &token))
            continue;
        url.len = (size_t)(token.p + token.len - url.p);
        if (mail_links_address(reading->links, url, &reading->scratch) && reading->scratch.len == url.len) {
            splice_add(&reading->page->splices, (size_t)(url.p - reading->scanner.text.p), url.len, buf_slice(&reading->scratch));
            reading->page->cleaned++;
        }
    }
}

static void take_text(struct reading *reading)
{
    struct slice text =
        slice_of(reading->scanner.text.p + reading->token.at, reading->token.end - reading->token.at);
    size_t room = LINK_TEXT_MAX - reading->link.text.len;

    if (!reading->token.live)
        return;
    if (reading->link.open && reading->link.undecided)
        buf_add(&reading->link.text, text.p, text.len < room ? text.len : room);
    if (!reading->new_text && !reading->quoted.inside && !is_blank(text))
        reading->new_text = true;
    if (reading->links->settings->urls.address)
        address_text(reading, text);
}

static void read_all(struct reading *reading)
{
    while (!reading->failed && html_next(&reading->scanner, &reading->token)) {
        if (reading->token.kind == HTML_TEXT) {
            take_text(reading);
            continue;
        }
        if (quoted_step(&reading->quoted, &reading->scanner, &reading->token) && reading->new_text &&
            reading->quote == nowhere)
            reading->quote = reading->token.at;
        if (reading->token.kind == HTML_START_TAG)
            take_start_tag(reading);
        else
            take_end_tag(reading);
    }
    close_link(reading);
}

/* Where the page's own text ends: before the history, else before the last </body> or </html>, else at the
 * end. */
static size_t end_of_page(const struct reading *reading)
{
    size_t end = reading->scanner.whole;

    if (reading->quote != nowhere)
        return reading->quote;
    if (reading->body_close != nowhere)
        return reading->body_close;
    if (reading->html_close != nowhere)
        return reading->html_close;
    while (end > 0 && ascii_is_space(reading->scanner.text.p[end - 1]))
        end--;
    return end;
}

bool page_read(struct mail_links *links, struct page *page, struct slice text)
{
    struct reading reading = {.links = links,
                              .page = page,
                              .quote = nowhere,
                              .body_open = nowhere,
                              .body_close = nowhere,
                              .html_close = nowhere};
    bool done;

    splice_list_init(&page->splices);
    html_scanner_init(&reading.scanner, text);
    buf_init(&reading.scratch, URL_ROOM);
    buf_init(&reading.link.url, SIZE_MAX / 4);
    buf_init(&reading.link.text, LINK_TEXT_MAX);
    read_all(&reading);
    if (!reading.failed)
        reading.failed = !page_end(links, page, text, end_of_page(&reading), reading.body_open);
    done = splice_settle(&page->splices) && !reading.failed;
    buf_free(&reading.scratch);
    buf_free(&reading.link.url);
    buf_free(&reading.link.text);
    return done;
}
