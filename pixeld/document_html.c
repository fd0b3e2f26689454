/* SPDX-License-Identifier: BSD-2-Clause */
/* document_html - see document_part.h: the pages of a document, or one of them, for a browser. */

#include "pixeld/document_part.h"

#include "common/clock.h"
#include "common/document_type.h"
#include "pixeld/document_note.h"
#include "pixeld/gzip.h"
#include "pixeld/viewer.h"

enum { IDLE_S = 60, IDLE_SLIDES_S = 120 };

static const struct http_header page_headers[] = {
    {"Content-Type", "text/html; charset=utf-8"},
    {"Cache-Control", "no-store"},
    {"Content-Security-Policy",
     "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
     " base-uri 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Robots-Tag", "noindex, nofollow"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Vary", "Accept-Encoding"},
    {"Content-Encoding", "gzip"},
};

enum { PAGE_HEADERS = sizeof page_headers / sizeof *page_headers };

/* HTML is given away. NULL without memory. */
static struct http_page *page_with(const struct request *request, struct buf *html)
{
    struct http_page *page = NULL;
    struct buf packed;

    if (!gzip_is_accepted(request->field[REQUEST_ACCEPT_ENCODING]))
        return http_page_new_taking(200, page_headers, PAGE_HEADERS - 1, html);
    buf_init(&packed, VIEWER_BYTES_MAX);
    if (!html->failed && gzip_add(&packed, buf_slice(html)))
        page = http_page_new_taking(200, page_headers, PAGE_HEADERS, &packed);
    buf_free(&packed);
    return page;
}

/* What is written, and where it goes. */
struct writing {
    const struct document_request *document;
    const struct document_facts *facts;
    struct viewer viewer;
    char view[VIEW_ID_TEXT + 1];
    struct buf html;
};

static enum viewer_notice notice_for(const struct document_request *document)
{
    const struct hit_settings *settings = &document->site->hits;

    if (settings->honour_gpc != HONOUR_GPC_NO && hit_wants_privacy(document->request))
        return settings->honour_gpc == HONOUR_GPC_DROP ? NOTICE_NOTHING : NOTICE_COUNTED;
    return document->token->aggregate ? NOTICE_COUNTED : NOTICE_PERSON;
}

static bool begin(struct writing *writing)
{
    const struct document_request *document = writing->document;
    const struct document_facts *facts = writing->facts;
    struct slice type = slice_str(facts->file_type);

    writing->viewer = (struct viewer){
        .file_name = buf_slice(&facts->file_name),
        .bytes = facts->bytes,
        .token = document->token_text,
        .version = slice_of(facts->hash, VIEWER_VERSION_TEXT),
        .view = writing->view,
        .script = document->site->assets.item[ASSET_VIEWER_SCRIPT].name,
        .style = document->site->assets.item[ASSET_VIEWER_STYLE].name,
        .notice = notice_for(document),
        .idle_s = document_type_is_slides(document_type_of(type)) ? IDLE_SLIDES_S : IDLE_S,
        .pages_total = facts->pages,
    };
    return writing->viewer.notice == NOTICE_NOTHING ||
           view_id_make(document->site->keys, document->token, facts->id, clock_wall_us() / 1000, writing->view);
}

static void write_pages(void *arg, const struct store_page *page, size_t pages)
{
    struct writing *writing = arg;

    writing->viewer.page = page;
    writing->viewer.pages = pages;
    viewer_add_document(&writing->html, &writing->viewer);
}

static void write_page(void *arg, const struct store_page *page, size_t pages)
{
    struct writing *writing = arg;

    (void)pages;
    writing->viewer.page = page;
    writing->viewer.pages = 1;
    viewer_add_page(&writing->html, &writing->viewer);
}

static unsigned refreshes(const struct request *request)
{
    int number;

    document_take_number(request_argument(request, "again"), &number);
    return (unsigned)number;
}

static enum store_answer write_all(struct writing *writing)
{
    const struct document_request *document = writing->document;
    struct slice state = slice_str(writing->facts->state);
    enum store_answer answer = STORE_NO;

    if (slice_is(state, "pending")) {
        viewer_add_pending(&writing->html, &writing->viewer, refreshes(document->request));
        return STORE_YES;
    }
    if (slice_is(state, "ready"))
        answer = store_find_pages(document->db, document->link, 0, write_pages, writing, DOCUMENT_QUESTION_MS);
    if (answer != STORE_NO)
        return answer;
    viewer_add_download_only(&writing->html, &writing->viewer, slice_str(writing->facts->reason));
    return STORE_YES;
}

static enum store_answer write(struct writing *writing)
{
    const struct document_request *document = writing->document;

    if (!begin(writing))
        return STORE_AWAY;
    if (document->target.part == PART_ALL)
        return write_all(writing);
    return store_find_pages(document->db, document->link, document->target.page, write_page, writing, DOCUMENT_QUESTION_MS);
}

/* A HEAD asks whether it is there, and opens nothing. */
static uint64_t note(const struct document_request *document, const struct document_facts *facts)
{
    if (document->request->method == REQUEST_HEAD)
        return 0;
    if (document->target.part == PART_PAGE)
        return document_note(document->site, document->request, document->token, DOCUMENT_TURNED, facts->id, document->target.page,
                             NULL);
    return document_note(document->site, document->request, document->token, DOCUMENT_FETCHED, facts->id, 0, NULL);
}

struct http_answer document_html(const struct document_request *document)
{
    struct document_facts facts;
    struct writing writing = {.document = document, .facts = &facts};
    struct http_answer given;
    enum store_answer answer = document_facts_of(document, &facts);

    buf_init(&writing.html, VIEWER_BYTES_MAX);
    if (answer == STORE_YES)
        answer = write(&writing);
    given = answer == STORE_YES
                ? document_once(document->site, page_with(document->request, &writing.html), note(document, &facts))
                : document_refusal(document, answer);
    buf_free(&writing.html);
    document_facts_release(&facts);
    return given;
}
