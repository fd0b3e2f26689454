/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/document.h"

#include "common/clock.h"
#include "common/document_type.h"
#include "pixeld/disposition.h"
#include "pixeld/document_note.h"
#include "pixeld/document_part.h"
#include "pixeld/gzip.h"
#include "pixeld/viewer.h"

#include <string.h>

enum { IDLE_S = 60, IDLE_SLIDES_S = 120 };

/* what a link is for */

/* Digits without a leading zero, not more than fit. */
static struct slice take_number(struct slice text, int *number)
{
    int value = 0;
    size_t len = 0;

    while (len < text.len && len < 5 && ascii_is_digit(text.p[len]) && !(len == 0 && text.p[0] == '0'))
        value = value * 10 + (text.p[len++] - '0');
    *number = value;
    return slice_from(text, len);
}

/* REST is what stands behind the token, see url.h. */
static struct document_target target_of(struct slice rest)
{
    struct document_target target = {.part = PART_NOTHING};
    struct slice behind = take_number(rest, &target.page);

    if (slice_empty(rest))
        target.part = PART_ALL;
    else if (slice_is(rest, "download"))
        target.part = PART_FILE;
    else if (slice_is(rest, "beacon"))
        target.part = PART_BEACON;
    else if (target.page && slice_empty(behind))
        target.part = PART_PAGE;
    else if (target.page && behind.len == 1 + VIEWER_VERSION_TEXT && behind.p[0] == '-')
        target.part = PART_IMAGE;
    target.version = slice_from(behind, 1);
    return target;
}

/* what the database says */

struct facts_wanted {
    struct document_facts *facts;
    bool fits;
};

static bool copy(char *to, size_t room, const char *from)
{
    size_t len = from ? strlen(from) : 0;

    if (len >= room)
        return false;
    memcpy(to, from ? from : "", len + 1);
    return true;
}

static void take_facts(void *arg, const struct store_document *found)
{
    struct facts_wanted *wanted = arg;
    struct document_facts *facts = wanted->facts;

    facts->id = found->id;
    facts->bytes = found->bytes;
    facts->pages = found->pages;
    wanted->fits = copy(facts->hash, sizeof facts->hash, found->hash) &&
                   copy(facts->file_type, sizeof facts->file_type, found->file_type) &&
                   copy(facts->state, sizeof facts->state, found->state) && buf_add_str(&facts->file_name, found->file_name);
    if (!copy(facts->reason, sizeof facts->reason, found->reason))
        facts->reason[0] = '\0'; /* a word that is no word is none */
}

enum store_answer document_facts_of(const struct document_request *document, struct document_facts *facts)
{
    struct facts_wanted wanted = {.facts = facts, .fits = true};
    enum store_answer answer;

    *facts = (struct document_facts){.id = 0};
    buf_init(&facts->file_name, DOCUMENT_NAME_MAX);
    answer = store_find_document(document->db, document->link, take_facts, &wanted, DOCUMENT_QUESTION_MS);
    return wanted.fits ? answer : STORE_AWAY;
}

void document_facts_release(struct document_facts *facts)
{
    buf_free(&facts->file_name);
}

struct http_answer document_refusal(const struct document_request *document, enum store_answer answer)
{
    const struct pages *pages = &document->site->pages;

    return (struct http_answer){.page = answer == STORE_NO ? pages->no_document : pages->unavailable};
}

struct http_answer document_once(const struct site *site, struct http_page *page, uint64_t after)
{
    if (!page)
        return (struct http_answer){.page = site->pages.unavailable};
    return (struct http_answer){.page = page, .once = true, .after = after};
}

/* the pages */

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

    take_number(request_argument(request, "again"), &number);
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

static struct http_answer answer_html(const struct document_request *document)
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

/* the link */

/* NULL when TOKEN may be asked about. */
static struct http_page *refused(const struct site *site, const struct route *route, struct token *token)
{
    enum token_result result;

    if (!route->readable)
        return site->pages.no_document;
    result = token_verify(site->keys, route->target.token, slice_of("", 0), token);
    if (result == TOKEN_UNKNOWN_KEY && token->kind == TOKEN_DOCUMENT)
        return site->pages.unavailable; /* it may come */
    return result == TOKEN_GOOD && token->kind == TOKEN_DOCUMENT && token->index ? NULL : site->pages.no_document;
}

struct http_answer document_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct document_target target = target_of(route->target.rest);
    struct token token;
    struct http_page *page = refused(site, route, &token);
    bool posted = request->method == REQUEST_POST;

    if (!page && (target.part == PART_NOTHING || (target.part == PART_BEACON && !posted)))
        page = site->pages.no_document;
    if (!page && posted && target.part != PART_BEACON && target.part != PART_FILE)
        page = site->pages.method_not_allowed;
    if (page)
        return (struct http_answer){.page = page};
    if (target.part == PART_BEACON)
        return document_take_beacon(site, request, &token);
    return (struct http_answer){.at_desk = true, .takes_long = target.part == PART_FILE && request->method != REQUEST_HEAD};
}

struct http_answer document_work(struct site *site, const struct request *request, const struct route *route, struct db *db)
{
    struct token token;
    struct http_page *page = db ? refused(site, route, &token) : site->pages.unavailable;
    struct document_request document = {
        .site = site,
        .request = request,
        .token = &token,
        .token_text = route->target.token,
        .target = target_of(route->target.rest),
        .db = db,
    };

    if (page)
        return (struct http_answer){.page = page};
    document.link = (struct store_link){.message = token.message, .number = token.index};
    switch (document.target.part) {
    case PART_IMAGE:
        return document_image(&document);
    case PART_FILE:
        return document_file(&document);
    default:
        return answer_html(&document);
    }
}
