/* SPDX-License-Identifier: BSD-2-Clause */
/* page_end - see page_end.h */

#include "mail/page_end.h"
#include "mail/pixel.h"

enum { URL_ROOM = 1024 * 1024 };

struct ending {
    const struct mail_links *links;
    struct page *page;
    struct slice text;
    size_t end, body_open;
    struct buf scratch;
    bool failed;
};

/* How long the page will be; the same for one that is rewritten again. */
static size_t new_length(const struct ending *ending)
{
    const struct splice_list *splices = &ending->page->splices;
    size_t length = ending->text.len;

    for (size_t at = 0; at < splices->count; at++)
        length += splices->item[at].text_len - splices->item[at].len;
    return length;
}

/* Characters that any filter counts, whatever the charset, and as many after a line was broken. */
static size_t sure_characters(struct slice text)
{
    size_t count = 0;

    for (size_t at = 0; at < text.len; at++)
        count += (unsigned char)text.p[at] < 0x80 && text.p[at] != '\r' && text.p[at] != '\n';
    return count;
}

/* How many characters the changed page lacks, a pixel of PIXEL characters in it, to be no short one. */
static size_t lacking(const struct ending *ending, size_t pixel)
{
    const struct splice_list *splices = &ending->page->splices;
    struct slice text = ending->text;
    size_t length = pixel;

    if (new_length(ending) > (size_t)4 * PAGE_SHORT)
        return 0;
    length += sure_characters(text);
    for (size_t at = 0; at < splices->count; at++) {
        const struct splice *splice = &splices->item[at];

        length += splice->text_len;
        length -= sure_characters(slice_of(text.p + splice->at, splice->len));
    }
    return length < PAGE_SHORT ? PAGE_SHORT - length : 0;
}

/* The decoy's markup, or nothing. */
static void write_decoy(struct ending *ending, struct buf *markup)
{
    const struct rewrite_settings *settings = ending->links->settings;
    struct buf *url = &ending->scratch;

    buf_reset(url);
    if (settings->add_decoy && settings->urls.decoy(settings->urls.arg, url) && url->len <= PIXEL_DECOY_URL_MAX)
        pixel_write_decoy(buf_slice(url), markup);
}

static void add_footer(struct ending *ending)
{
    const struct rewrite_settings *settings = ending->links->settings;
    struct buf url, markup;

    if (!settings->consent_text)
        return;
    buf_init(&url, URL_ROOM);
    buf_init(&markup, URL_ROOM);
    if (settings->urls.consent(settings->urls.arg, &url)) {
        ending->failed |= !pixel_write_footer(buf_slice(&url), settings->consent_text, &markup);
        splice_insert(&ending->page->splices, ending->text, ending->end, buf_slice(&markup));
    }
    buf_free(&url);
    buf_free(&markup);
}

/* The end of the page: the decoy, if any, and the pixel, from whose end on MARKUP grows until the page is no short one. */
static void insert_at_end(struct ending *ending, struct slice url, struct slice decoy, struct buf *markup)
{
    size_t blanks;

    buf_add_slice(markup, decoy);
    pixel_write(url, 0, markup);
    blanks = lacking(ending, markup->len);
    buf_reset(markup);
    buf_add_slice(markup, decoy);
    ending->failed |= !pixel_write(url, blanks, markup);
    splice_insert(&ending->page->splices, ending->text, ending->end, buf_slice(markup));
    ending->page->pixels++;
}

static void add_pixels(struct ending *ending)
{
    const struct rewrite_urls *urls = &ending->links->settings->urls;
    struct buf url, decoy, markup;

    buf_init(&url, URL_ROOM);
    buf_init(&decoy, URL_ROOM);
    buf_init(&markup, URL_ROOM);
    write_decoy(ending, &decoy);
    if (urls->view(urls->arg, &url)) {
        insert_at_end(ending, buf_slice(&url), buf_slice(&decoy), &markup);
        if (ending->body_open != PAGE_NOWHERE && new_length(ending) > PAGE_TOP_PIXEL_BYTES) {
            splice_insert(&ending->page->splices, ending->text, ending->body_open,
                          slice_from(buf_slice(&markup), decoy.len));
            ending->page->pixels++;
        }
    }
    ending->failed |= decoy.failed;
    buf_free(&markup);
    buf_free(&decoy);
    buf_free(&url);
}

bool page_end(const struct mail_links *links, struct page *page, struct slice text, size_t end, size_t body_open)
{
    struct ending ending = {.links = links, .page = page, .text = text, .end = end, .body_open = body_open};

    if (page->block.len) {
        splice_insert(&page->splices, text, end, page->block);
        page->shows_block = true;
    }
    if (page->pixel) {
        buf_init(&ending.scratch, URL_ROOM);
        add_footer(&ending);
        if (links->settings->add_pixel)
            add_pixels(&ending);
        buf_free(&ending.scratch);
    }
    return !ending.failed;
}
