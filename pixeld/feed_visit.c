/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_visit.h"

#include "pixeld/feed_cookie.h"
#include "pixeld/form.h"
#include "pixeld/markup.h"

#include <stdio.h>
#include <string.h>

enum { FORM_MARK_MAX = 128, HEADERS_MAX = 12 };

bool feed_visit_begin(struct feed_visit *visit, bool with_session)
{
    bool secure = visit->site->feed.secure;
    struct db_result *rows;

    snprintf(visit->prefix, sizeof visit->prefix, "%.*s", SLICE_ARG(visit->site->prefix));
    feed_cookie_read(visit->request, FEED_COOKIE_SESSION, secure, visit->secret, sizeof visit->secret);
    feed_cookie_read(visit->request, FEED_COOKIE_DEVICE, secure, visit->device, sizeof visit->device);
    if (!with_session || !*visit->secret)
        return true;
    rows = feed_servers_any(&visit->servers) ? store_my_session(feed_servers_any(&visit->servers), visit->secret, FEED_ASK_MS) : NULL;
    if (rows && db_rows(rows) == 0) {
        db_result_free(rows);
        return true;
    }
    visit->session = rows;
    if (!rows)
        return false;
    visit->address = db_value(rows, 0, SESSION_ADDRESS);
    visit->name = db_value(rows, 0, SESSION_NAME);
    visit->form = db_value(rows, 0, SESSION_FORM);
    visit->sees_all = strcmp(db_value(rows, 0, SESSION_SEES_ALL), "t") == 0;
    return true;
}

void feed_visit_release(struct feed_visit *visit)
{
    db_result_free(visit->session);
}

bool feed_visit_may_act(const struct feed_visit *visit)
{
    struct buf mark;
    bool may = request_is_same_origin(visit->request, visit->site->feed.origin);

    buf_init(&mark, FORM_MARK_MAX);
    if (may && visit->session)
        may = form_field(visit->request->body, "form", &mark) && strcmp(buf_text(&mark), visit->form) == 0;
    buf_free(&mark);
    return may;
}

void feed_visit_argument(const struct feed_visit *visit, const char *name, struct buf *out)
{
    if (!form_decode(request_argument(visit->request, name), out))
        buf_reset(out);
}

static void add_link(struct buf *html, const struct feed_visit *visit, const char *path, const char *words, const char *current)
{
    markup_f(html, "<a href=\"%s%s\"", visit->prefix, path);
    if (strcmp(path, current) == 0)
        buf_add_str(html, " aria-current=\"page\"");
    markup_f(html, ">%s</a>", words);
}

void feed_add_brand(struct buf *html, const struct feed_visit *visit)
{
    markup_f(html, "<span class=\"brand\"><img src=\"%s/a/%s\" width=\"24\" height=\"24\" alt=\"\">Spoor</span>", visit->prefix,
             visit->site->assets.item[ASSET_ICON].name);
}

static void add_bar(struct buf *html, const struct feed_visit *visit, const char *current)
{
    buf_add_str(html, "<a class=\"skip\" href=\"#main\">To the content</a><header class=\"top\">");
    feed_add_brand(html, visit);
    buf_add_str(html, "<nav aria-label=\"Pages\">");
    add_link(html, visit, "/feed", "Live Feed", current);
    add_link(html, visit, "/feed/devices", "Devices", current);
    buf_add_str(html, "</nav><div class=\"me\">");
    markup_f(html, "<span class=\"who\">%s</span><form method=\"post\" action=\"%s/feed/out\">", visit->name, visit->prefix);
    markup_f(html, "<input type=\"hidden\" name=\"form\" value=\"%s\"><button class=\"quiet\">Sign out</button></form></div></header>",
             visit->form);
}

void feed_html_begin(struct buf *html, const struct feed_visit *visit, const char *title, const char *current, bool refreshes)
{
    const struct asset *asset = visit->site->assets.item;

    buf_add_str(html, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    markup_f(html, "<title>%s</title><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">", title);
    buf_add_str(html, "<meta name=\"color-scheme\" content=\"light dark\"><meta name=\"robots\" content=\"noindex\">");
    if (refreshes)
        buf_add_str(html, "<noscript><meta http-equiv=\"refresh\" content=\"30\"></noscript>");
    markup_f(html, "<link rel=\"stylesheet\" href=\"%s/a/%s\"><link rel=\"icon\" href=\"%s/a/%s\">", visit->prefix,
             asset[ASSET_FEED_STYLE].name, visit->prefix, asset[ASSET_ICON].name);
    markup_f(html, "<script src=\"%s/a/%s\" defer></script></head>\n<body class=\"%s\">", visit->prefix,
             asset[ASSET_FEED_SCRIPT].name, visit->session ? "inside" : "outside");
    if (visit->session)
        add_bar(html, visit, current);
    buf_add_str(html, "<main id=\"main\">\n");
}

void feed_html_end(struct buf *html)
{
    buf_add_str(html, "</main></body></html>\n");
}

static size_t add_headers(struct http_header *header, const char *type, const char *const *cookies)
{
    static const struct http_header common[] = {
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Robots-Tag", "noindex, nofollow"},
        {"Referrer-Policy", "same-origin"},
        {"Content-Security-Policy",
         "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self';"
         " frame-ancestors 'none'; base-uri 'none'"},
        {"Cross-Origin-Opener-Policy", "same-origin"},
    };
    size_t count = 0;

    header[count++] = (struct http_header){"Content-Type", type};
    for (size_t n = 0; n < sizeof common / sizeof *common; n++)
        header[count++] = common[n];
    for (; cookies && *cookies && count < HEADERS_MAX; cookies++)
        header[count++] = (struct http_header){"Set-Cookie", *cookies};
    return count;
}

struct http_answer feed_html_answer(struct feed_visit *visit, unsigned status, struct buf *html, const char *const *cookies)
{
    struct http_header header[HEADERS_MAX];
    size_t count = add_headers(header, "text/html; charset=utf-8", cookies);
    struct http_page *page = http_page_new_taking(status, header, count, html);

    if (!page)
        return feed_unavailable(visit);
    return (struct http_answer){.page = page, .once = true};
}

struct http_answer feed_redirect(struct feed_visit *visit, const char *path, const char *const *cookies)
{
    struct http_header header[HEADERS_MAX + 1];
    size_t count = add_headers(header, "text/plain", cookies);
    char location[512];

    snprintf(location, sizeof location, "%s%s", visit->prefix, path);
    header[count++] = (struct http_header){"Location", location};
    return (struct http_answer){.page = http_page_new(303, header, count, slice_str("")), .once = true};
}

struct http_answer feed_unavailable(struct feed_visit *visit)
{
    return (struct http_answer){.page = visit->site->pages.unavailable};
}

struct http_answer feed_message(struct feed_visit *visit, unsigned status, const char *title, const char *words)
{
    struct buf html;

    buf_init(&html, FEED_PAGE_MAX);
    feed_html_begin(&html, visit, title, "", false);
    markup_f(&html, "<section class=\"card narrow\"><h1>%s</h1><p>%s</p>", title, words);
    markup_f(&html, "<p><a href=\"%s/feed\">To the Live Feed</a></p></section>", visit->prefix);
    feed_html_end(&html);
    return feed_html_answer(visit, status, &html, NULL);
}

void feed_entry_of_row(const struct feed_visit *visit, const struct db_result *rows, size_t row, struct buf *place,
                       struct feed_entry *entry)
{
    const char *forwarded = db_value(rows, row, ENTRY_FORWARDED);

    *entry = (struct feed_entry){
        .batch = db_value(rows, row, ENTRY_BATCH),
        .record = db_value(rows, row, ENTRY_RECORD),
        .spool = db_value(rows, row, ENTRY_SPOOL),
        .at = db_value(rows, row, ENTRY_AT),
        .what = db_value(rows, row, ENTRY_WHAT),
        .owner = db_value(rows, row, ENTRY_OWNER),
        .person = db_value(rows, row, ENTRY_PERSON),
        .subject = db_value(rows, row, ENTRY_SUBJECT),
        .detail = db_value(rows, row, ENTRY_DETAIL),
        .verdict = db_value(rows, row, ENTRY_VERDICT),
        .reason = db_value(rows, row, ENTRY_REASON),
        .message = db_value(rows, row, ENTRY_MESSAGE),
        .campaign = db_value(rows, row, ENTRY_CAMPAIGN),
        .status = db_value(rows, row, ENTRY_STATUS),
        .hardness = db_value(rows, row, ENTRY_HARDNESS),
        .address = db_value(rows, row, ENTRY_ADDRESS),
        .agent = db_value(rows, row, ENTRY_AGENT),
        .recipient = db_value(rows, row, ENTRY_RECIPIENT),
        .forwarded = forwarded && *forwarded == 't',
        .show_owner = visit && visit->sees_all,
        .settles_in = db_value(rows, row, ENTRY_SETTLES_IN),
    };
    buf_reset(place);
    if (visit && visit->site->feed.places && entry->address)
        place_add(visit->site->feed.places, entry->address, place);
    entry->place = place->len ? buf_text(place) : NULL;
}
