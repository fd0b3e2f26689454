/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/viewer.h"

#include "pixeld/markup.h"

#include <inttypes.h>

enum { REFRESH_SECONDS = 10, REFRESHES_MAX = 18 };

/* The document's page is /d/TOKEN, that of one page /d/TOKEN/N: whence a link to what lies below the token begins. */
struct place {
    const struct viewer *viewer;
    struct slice below; /* "TOKEN/" or "" */
    const char *root;   /* up to where the assets' folder is */
};

static struct place at_document(const struct viewer *viewer, struct buf *below)
{
    buf_add_slice(below, viewer->token);
    buf_add_char(below, '/');
    return (struct place){viewer, buf_slice(below), "../"};
}

static void add_size(struct buf *out, int64_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB"};
    double size = (double)bytes / 1000;
    size_t unit = 0;

    while (size >= 999.5 && unit < 2) {
        size /= 1000;
        unit++;
    }
    buf_add_f(out, size < 9.95 && unit ? "%.1f %s" : "%.0f %s", size < 1 ? 1.0 : size, units[unit]);
}

static void add_download(struct buf *out, const struct place *place)
{
    buf_add_str(out, "<form method=\"post\" action=\"");
    buf_add_slice(out, place->below);
    buf_add_f(out, "download\"><input type=\"hidden\" name=\"v\" value=\"%s\"><button>Download <small>", place->viewer->view);
    add_size(out, place->viewer->bytes);
    buf_add_str(out, "</small></button></form>");
}

/* Up to where the page's own header ends. REFRESH is an element for <head>, or "". */
static void begin(struct buf *out, const struct place *place, bool scripted, const char *refresh)
{
    const struct viewer *viewer = place->viewer;

    buf_add_f(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">%s<title>", refresh);
    markup_add_text(out, viewer->file_name);
    buf_add_f(out,
              "</title><meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
              "<meta name=\"color-scheme\" content=\"light dark\">"
              "<link rel=\"stylesheet\" href=\"%sa/%s\">",
              place->root, viewer->style);
    if (scripted)
        buf_add_f(out, "<script src=\"%sa/%s\" defer></script>", place->root, viewer->script);
    buf_add_str(out, "</head>\n<body");
    if (scripted && viewer->view[0]) {
        buf_add_f(out, " data-view=\"%s\" data-idle=\"%d\" data-beacon=\"", viewer->view, viewer->idle_s);
        buf_add_slice(out, place->below);
        buf_add_str(out, "beacon\"");
    }
    buf_add_str(out, "><header><h1>");
    markup_add_text(out, viewer->file_name);
    buf_add_str(out, "</h1>");
}

static void end(struct buf *out, const struct viewer *viewer)
{
    static const char *const notices[] = {
        [NOTICE_PERSON] = "The sender of this link is told when the document is opened or downloaded with it, and for how long "
                          "each page is in sight.",
        [NOTICE_COUNTED] = "The sender of this link is told how often the document is opened or downloaded, and for how long "
                           "each page is in sight, but not by whom.",
        [NOTICE_NOTHING] = "Your browser asks that you not be tracked. Nobody is told that you read this.",
    };

    buf_add_f(out, "<footer><p>%s</p></footer></body></html>\n", notices[viewer->notice]);
}

static void add_image(struct buf *out, const struct place *place, const struct store_page *page, bool lazy)
{
    buf_add_str(out, "<img src=\"");
    buf_add_slice(out, place->below);
    buf_add_f(out, "%d-", page->number);
    buf_add_slice(out, place->viewer->version);
    buf_add_f(out, "\" width=\"%d\" height=\"%d\" alt=\"Page %d\"%s>", page->width, page->height, page->number,
              lazy ? " loading=\"lazy\" decoding=\"async\"" : " fetchpriority=\"high\"");
}

/* The words of a page, for whoever does not see it. */
static void add_words(struct buf *out, const struct place *place, const struct store_page *page)
{
    if (page->text && !page->text[0])
        return;
    buf_add_str(out, "<div class=\"read\" lang=\"\">");
    if (page->text) {
        markup_add_text(out, slice_str(page->text));
    } else {
        buf_add_str(out, "<a href=\"");
        buf_add_slice(out, place->below);
        buf_add_f(out, "%d\" lang=\"en\" rel=\"nofollow\">Text of page %d</a>", page->number, page->number);
    }
    buf_add_str(out, "</div>");
}

static void add_section(struct buf *out, const struct place *place, const struct store_page *page)
{
    buf_add_f(out, "<section id=\"p%d\" aria-label=\"Page %d\">", page->number, page->number);
    add_image(out, place, page, page->number > 1);
    add_words(out, place, page);
    buf_add_str(out, "</section>\n");
}

/* Links to each page by itself. */
static void add_index(struct buf *out, const struct place *place)
{
    buf_add_str(out, "<nav aria-label=\"Pages\">Page by page:");
    for (size_t at = 0; at < place->viewer->pages; at++) {
        buf_add_str(out, " <a rel=\"nofollow\" href=\"");
        buf_add_slice(out, place->below);
        buf_add_f(out, "%d\">%d</a>", place->viewer->page[at].number, place->viewer->page[at].number);
    }
    buf_add_str(out, "</nav>");
}

static void add_neighbours(struct buf *out, const struct viewer *viewer, int number)
{
    buf_add_str(out, "<nav aria-label=\"Pages\">");
    if (number > 1)
        buf_add_f(out, "<a rel=\"nofollow prev\" href=\"%d\">Page %d</a>", number - 1, number - 1);
    buf_add_str(out, " <a href=\"../");
    buf_add_slice(out, viewer->token);
    buf_add_str(out, "\">All pages</a> ");
    if (number < viewer->pages_total)
        buf_add_f(out, "<a rel=\"nofollow next\" href=\"%d\">Page %d</a>", number + 1, number + 1);
    buf_add_str(out, "</nav>");
}

static void add_rest(struct buf *out, const struct viewer *viewer)
{
    if (viewer->pages_total > (int64_t)viewer->pages)
        buf_add_f(out, "<p class=\"note\">These are the first %zu of %" PRId64 " pages. All are in the file, which you can download.</p>",
                  viewer->pages, viewer->pages_total);
}

bool viewer_add_document(struct buf *out, const struct viewer *viewer)
{
    struct place place;
    struct buf below;

    buf_init(&below, 256);
    place = at_document(viewer, &below);
    begin(out, &place, true, "");
    buf_add_f(out, "<p><span id=\"at\">1</span> / %" PRId64 "</p>", viewer->pages_total);
    add_download(out, &place);
    buf_add_str(out, "</header><main>\n<noscript>");
    add_index(out, &place);
    buf_add_str(out, "</noscript>\n");
    for (size_t at = 0; at < viewer->pages; at++)
        add_section(out, &place, &viewer->page[at]);
    add_rest(out, viewer);
    buf_add_str(out, "</main>");
    end(out, viewer);
    buf_free(&below);
    return !out->failed;
}

bool viewer_add_page(struct buf *out, const struct viewer *viewer)
{
    const struct place place = {viewer, slice_str(""), "../../"};
    const struct store_page *page = viewer->page;

    begin(out, &place, false, "");
    buf_add_f(out, "<p>%d / %" PRId64 "</p>", page->number, viewer->pages_total);
    add_download(out, &place);
    buf_add_f(out, "</header><main>\n<section aria-label=\"Page %d\">", page->number);
    add_image(out, &place, page, false);
    buf_add_str(out, "</section>\n");
    add_neighbours(out, viewer, page->number);
    if (page->text && page->text[0]) {
        buf_add_str(out, "<div class=\"open\" lang=\"\">");
        markup_add_text(out, slice_str(page->text));
        buf_add_str(out, "</div>");
    }
    buf_add_str(out, "</main>");
    end(out, viewer);
    return !out->failed;
}

/* The note is what is seen first, so the button stands below it and not in the corner. */
static bool add_note(struct buf *out, const struct viewer *viewer, const char *refresh, const char *title, const char *text)
{
    struct place place;
    struct buf below;

    buf_init(&below, 256);
    place = at_document(viewer, &below);
    begin(out, &place, true, refresh);
    buf_add_f(out, "</header><main><div class=\"note\"><h2>%s</h2><p>%s</p>", title, text);
    add_download(out, &place);
    buf_add_str(out, "</div></main>");
    end(out, viewer);
    buf_free(&below);
    return !out->failed;
}

bool viewer_add_pending(struct buf *out, const struct viewer *viewer, unsigned refreshes)
{
    struct buf refresh;
    bool added;

    if (refreshes >= REFRESHES_MAX)
        return add_note(out, viewer, "", "Not ready yet", "The preview of this document takes longer than usual. Please come back "
                                                         "later, or download the file.");
    buf_init(&refresh, 512);
    buf_add_f(&refresh, "<meta http-equiv=\"refresh\" content=\"%d;url=", REFRESH_SECONDS);
    buf_add_slice(&refresh, viewer->token);
    buf_add_f(&refresh, "?again=%u\">", refreshes + 1);
    added = add_note(out, viewer, buf_text(&refresh), "One moment", "The preview of this document is being prepared. This page shows it "
                                                                    "as soon as it is there.");
    buf_free(&refresh);
    return added;
}

bool viewer_add_download_only(struct buf *out, const struct viewer *viewer, struct slice why)
{
    const char *text = "This document cannot be shown here, but you can download it.";

    if (slice_is(why, "encrypted"))
        text = "This document is protected by a password, so it cannot be shown here. You can download it.";
    return add_note(out, viewer, "", "No preview", text);
}
