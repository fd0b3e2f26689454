/* SPDX-License-Identifier: BSD-2-Clause */
/* feed_list - the feed itself: filters, the chart, groups of events, older pages, CSV, and the live stream */

#include "pixeld/feed_chart.h"
#include "pixeld/feed_pages.h"
#include "pixeld/markup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE_ENTRIES = 50, CSV_ENTRIES = 10000, TEXT_MAX = 1024, PLACE_MAX = 256 };

static const struct {
    const char *what; /* as spoor.kinds_of() knows it */
    const char *words;
} choices[] = {{"", "All"}, {"views", "Views"}, {"links", "Links"}, {"documents", "Documents"}, {"replies", "Replies"}};

/* What the reader asked for, by the query. */
struct wanted {
    struct buf what, search, campaign, before, people;
    struct store_feed_question question;
    struct feed_cursor older_than;
};

static void read_wanted(const struct feed_visit *visit, int count, struct wanted *wanted)
{
    struct {
        const char *name;
        struct buf *text;
    } arguments[] = {{"what", &wanted->what}, {"q", &wanted->search}, {"campaign", &wanted->campaign},
                     {"before", &wanted->before}, {"people", &wanted->people}};

    *wanted = (struct wanted){.question = {.count = count}};
    for (size_t n = 0; n < sizeof arguments / sizeof *arguments; n++) {
        buf_init(arguments[n].text, TEXT_MAX);
        feed_visit_argument(visit, arguments[n].name, arguments[n].text);
    }
    wanted->question.what = buf_text(&wanted->what);
    wanted->question.search = buf_text(&wanted->search);
    wanted->question.campaign = buf_text(&wanted->campaign);
    wanted->question.people_only = wanted->people.len > 0;
    wanted->older_than = feed_cursor_read(buf_slice(&wanted->before));
}

static void free_wanted(struct wanted *wanted)
{
    buf_free(&wanted->what);
    buf_free(&wanted->search);
    buf_free(&wanted->campaign);
    buf_free(&wanted->before);
    buf_free(&wanted->people);
}

static bool is_filtered(const struct wanted *wanted)
{
    return wanted->what.len || wanted->search.len || wanted->campaign.len || wanted->people.len;
}

/* "?what=...&q=..." as it was asked for; WHAT and BEFORE take the place of what was. */
static void add_query(struct buf *out, const struct wanted *wanted, const char *what, const char *before)
{
    const struct {
        const char *name, *value;
    } arguments[] = {{"what", what}, {"q", wanted->question.search}, {"campaign", wanted->question.campaign},
                     {"people", wanted->question.people_only ? "1" : ""}, {"before", before}};
    const char *gap = "?";

    for (size_t n = 0; n < sizeof arguments / sizeof *arguments; n++) {
        if (!*arguments[n].value)
            continue;
        buf_add_f(out, "%s%s=", gap, arguments[n].name);
        markup_argument(out, arguments[n].value);
        gap = "&amp;";
    }
}

static void add_choices(struct buf *html, const struct feed_visit *visit, const struct wanted *wanted)
{
    buf_add_str(html, "<nav class=\"tabs\" aria-label=\"What is shown\">");
    for (size_t n = 0; n < sizeof choices / sizeof *choices; n++) {
        bool chosen = strcmp(choices[n].what, wanted->question.what) == 0;

        markup_f(html, "<a href=\"%s/feed", visit->prefix);
        add_query(html, wanted, choices[n].what, "");
        markup_f(html, chosen ? "\" aria-current=\"true\">%s</a>" : "\">%s</a>", choices[n].words);
    }
    buf_add_str(html, "</nav>");
}

/* Did an earlier server have it? */
static bool is_among(struct db_result *const *rows, unsigned shards, const char *name)
{
    for (unsigned shard = 0; shard < shards; shard++)
        for (size_t row = 0; rows[shard] && row < db_rows(rows[shard]); row++)
            if (strcmp(db_value(rows[shard], row, 0), name) == 0)
                return true;
    return false;
}

static void add_campaigns(struct buf *html, const struct feed_visit *visit, const struct wanted *wanted)
{
    struct db_result *rows[SHARDS] = {NULL};
    bool any = false;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (visit->servers.db[shard])
            rows[shard] = store_my_campaigns(visit->servers.db[shard], visit->secret, FEED_ASK_MS);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        for (size_t row = 0; rows[shard] && row < db_rows(rows[shard]); row++) {
            const char *name = db_value(rows[shard], row, 0);

            if (is_among(rows, shard, name))
                continue;
            if (!any)
                buf_add_str(html, "<label><span class=\"hidden\">Campaign</span><select name=\"campaign\"><option value=\"\">All campaigns</option>");
            markup_f(html, strcmp(name, wanted->question.campaign) == 0 ? "<option selected>%s</option>" : "<option>%s</option>", name);
            any = true;
        }
    buf_add_str(html, any ? "</select></label>" : "");
    for (unsigned shard = 0; shard < SHARDS; shard++)
        db_result_free(rows[shard]);
}

static void add_filters(struct buf *html, const struct feed_visit *visit, const struct wanted *wanted)
{
    buf_add_str(html, "<div class=\"filters\">");
    add_choices(html, visit, wanted);
    markup_f(html, "<form class=\"search\" role=\"search\" action=\"%s/feed\">", visit->prefix);
    if (wanted->what.len)
        markup_f(html, "<input type=\"hidden\" name=\"what\" value=\"%s\">", wanted->question.what);
    add_campaigns(html, visit, wanted);
    markup_f(html, "<label class=\"grow\"><span class=\"hidden\">Search</span><input type=\"search\" name=\"q\" value=\"%s\" placeholder=\"Subject words or a recipient\"></label>",
             wanted->question.search);
    buf_add_str(html, "<label class=\"check\"><input type=\"checkbox\" name=\"people\" value=\"1\"");
    buf_add_str(html, wanted->question.people_only ? " checked> People only</label>" : "> People only</label>");
    buf_add_str(html, "<button>Search</button></form></div>\n");
}

static void entry_at(const struct feed_visit *visit, const struct feed_rows *rows, size_t n, struct buf *place, struct feed_entry *entry)
{
    feed_entry_of_row(visit, rows->rows[rows->row[n].shard], rows->row[n].row, place, entry);
    entry->shard = rows->row[n].shard;
}

/* The entries of a group stand anywhere on the page; the group where its newest does. */
static void add_groups(struct buf *html, const struct feed_visit *visit, const struct feed_rows *rows)
{
    size_t count = rows->count;
    struct feed_entry *entry = calloc(count + 1, sizeof *entry);
    struct buf *place = calloc(count + 1, sizeof *place);
    bool *shown = calloc(count + 1, sizeof *shown);

    for (size_t n = 0; place && entry && n < count; n++) {
        buf_init(&place[n], PLACE_MAX);
        entry_at(visit, rows, n, &place[n], &entry[n]);
    }
    for (size_t first = 0; entry && place && shown && first < count; first++) {
        if (shown[first])
            continue;
        feed_entry_begin_group(html, &entry[first], visit->prefix);
        for (size_t n = first; n < count; n++)
            if (!shown[n] && feed_entry_same_group(&entry[first], &entry[n])) {
                feed_entry_add_line(html, &entry[n], false);
                shown[n] = true;
            }
        feed_entry_end_group(html);
    }
    for (size_t n = 0; place && n < count; n++)
        buf_free(&place[n]);
    free(entry);
    free(place);
    free(shown);
}

static void add_empty(struct buf *html, const struct wanted *wanted)
{
    if (is_filtered(wanted) || wanted->before.len)
        buf_add_str(html, "<div class=\"empty\"><h2>Nothing here</h2><p>Nothing that happened fits what is chosen above.</p></div>");
    else
        buf_add_str(html, "<div class=\"empty\"><h2>Nothing has happened yet</h2><p>Send a mail as you always do. As soon as somebody opens it, "
                          "follows a link in it or answers, it shows up here by itself.</p></div>");
}

static void add_pages(struct buf *html, const struct feed_visit *visit, const struct wanted *wanted, const struct feed_rows *rows)
{
    struct buf older;

    buf_add_str(html, "<nav class=\"pages\" aria-label=\"Pages of the past\">");
    if (wanted->before.len) {
        markup_f(html, "<a class=\"button\" href=\"%s/feed", visit->prefix);
        add_query(html, wanted, wanted->question.what, "");
        buf_add_str(html, "\">Newest</a>");
    }
    if (rows->count == (size_t)wanted->question.count) {
        buf_init(&older, FEED_CURSOR_TEXT);
        feed_cursor_add(&older, &rows->next);
        markup_f(html, "<a class=\"button\" rel=\"next\" href=\"%s/feed", visit->prefix);
        add_query(html, wanted, wanted->question.what, buf_text(&older));
        buf_add_str(html, "\">Older</a>");
        buf_free(&older);
    }
    markup_f(html, "<a class=\"quiet\" href=\"%s/feed/csv", visit->prefix);
    add_query(html, wanted, wanted->question.what, "");
    buf_add_str(html, "\" download>Download as CSV</a></nav>");
}

/* A page of the past stays as it is; and one of a search, for the browser does not know all recipients of a mail. */
static void add_list(struct buf *html, const struct feed_visit *visit, const struct wanted *wanted, const struct feed_rows *rows,
                     const struct feed_cursor *newest)
{
    bool live = !wanted->before.len && !wanted->search.len;

    buf_add_str(html, "<section class=\"feed\" id=\"feed\" aria-label=\"What happened, newest first\"");
    if (live) {
        markup_f(html, " data-live=\"%s/feed/live\" data-what=\"%s\" data-campaign=\"%s\"", visit->prefix, wanted->question.what,
                 wanted->question.campaign);
        buf_add_str(html, " data-after=\"");
        feed_cursor_add(html, newest);
        buf_add_f(html, "\"%s", wanted->question.people_only ? " data-people=\"1\"" : "");
    }
    buf_add_str(html, ">\n");
    add_groups(html, visit, rows);
    if (rows->count == 0)
        add_empty(html, wanted);
    buf_add_str(html, "</section>\n");
    add_pages(html, visit, wanted, rows);
}

static void add_head(struct buf *html)
{
    buf_add_str(html, "<div class=\"title\"><h1>Live Feed</h1><span class=\"live\" id=\"live\" role=\"status\" hidden></span>"
                      "<button class=\"quiet\" id=\"notify\" hidden>Notify me</button></div>"
                      "<noscript><p class=\"note\">This page loads itself again every 30 seconds.</p></noscript>\n");
}

/* One note for all. */
static void add_missing(struct buf *html, const struct feed_visit *visit)
{
    unsigned missing = 0;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        missing += feed_servers_is_missing(&visit->servers, shard);
    if (missing)
        buf_add_f(html, "<p class=\"note\" role=\"status\" id=\"missing\">What became of some of your mails is missing here: %u of the servers that know"
                        " of it cannot be asked at present. Nothing is lost; it shows up again by itself.</p>\n", missing);
}

static void add_page(struct buf *html, struct feed_visit *visit, const struct wanted *wanted, const struct feed_rows *rows,
                     const struct feed_cursor *newest)
{
    feed_html_begin(html, visit, "Live Feed", "/feed", !wanted->before.len);
    add_head(html);
    add_missing(html, visit);
    if (!is_filtered(wanted) && !wanted->before.len)
        feed_chart_add(html, visit, NULL);
    add_filters(html, visit, wanted);
    add_list(html, visit, wanted, rows, newest);
    feed_html_end(html);
}

struct http_answer feed_list_show(struct feed_visit *visit)
{
    struct feed_cursor newest;
    struct feed_rows rows = {.row = NULL};
    struct wanted wanted;
    struct buf html;
    bool asked;

    read_wanted(visit, PAGE_ENTRIES, &wanted);
    buf_init(&html, FEED_PAGE_MAX);
    /* asked first: what comes meanwhile comes twice rather than never, and the page knows each by its number */
    asked = feed_servers_newest(&visit->servers, &newest, FEED_ASK_MS) &&
            feed_rows_ask(&visit->servers, visit->secret, &wanted.question, &wanted.older_than, &newest, FEED_ASK_MS, &rows);
    if (asked)
        add_page(&html, visit, &wanted, &rows, &newest);
    free_wanted(&wanted);
    feed_rows_free(&rows);
    if (asked)
        return feed_html_answer(visit, 200, &html, NULL);
    buf_free(&html);
    return feed_unavailable(visit);
}

/* What is missing from a file is not seen, so it is whole or there is none. */
static bool is_any_missing(const struct feed_visit *visit)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (feed_servers_is_missing(&visit->servers, shard))
            return true;
    return false;
}

struct http_answer feed_list_csv(struct feed_visit *visit)
{
    static const struct http_header headers[] = {
        {"Content-Type", "text/csv; charset=utf-8"},
        {"Content-Disposition", "attachment; filename=\"feed.csv\""},
        {"Cache-Control", "no-store"},
        {"X-Content-Type-Options", "nosniff"},
    };
    struct feed_cursor unknown = feed_cursor_read(slice_str(""));
    struct feed_rows rows = {.row = NULL};
    struct http_answer answer;
    struct wanted wanted;
    struct buf text, place;
    bool asked;

    read_wanted(visit, CSV_ENTRIES, &wanted);
    buf_init(&text, FEED_PAGE_MAX);
    buf_init(&place, PLACE_MAX);
    asked = feed_rows_ask(&visit->servers, visit->secret, &wanted.question, &wanted.older_than, &unknown, FEED_ASK_MS, &rows) &&
            !is_any_missing(visit);
    buf_add_str(&text, feed_entry_csv_head);
    for (size_t n = 0; asked && n < rows.count; n++) {
        struct feed_entry entry;

        entry_at(visit, &rows, n, &place, &entry);
        feed_entry_add_csv(&text, &entry);
    }
    answer = (struct http_answer){.page = asked ? http_page_new_taking(200, headers, 4, &text) : NULL, .once = true};
    buf_free(&text);
    buf_free(&place);
    free_wanted(&wanted);
    feed_rows_free(&rows);
    return answer.page ? answer : feed_unavailable(visit);
}

/* Where a page, or a stream that broke, had come to. */
static struct feed_cursor cursor_of(const struct feed_visit *visit)
{
    struct slice last = visit->request->field[REQUEST_LAST_EVENT_ID];
    struct feed_cursor cursor;
    struct buf after;

    buf_init(&after, TEXT_MAX);
    if (last.len == 0)
        feed_visit_argument(visit, "after", &after);
    cursor = feed_cursor_read(last.len ? last : buf_slice(&after));
    buf_free(&after);
    return cursor;
}

struct http_answer feed_list_live(struct feed_visit *visit)
{
    static const struct http_header headers[] = {
        {"Content-Type", "text/event-stream"},
        {"Cache-Control", "no-store"},
        {"X-Accel-Buffering", "no"}, /* nginx would keep it back */
    };
    struct feed_cursor after = cursor_of(visit);
    struct http_stream *stream = herald_open(visit->site->feed.herald, visit->secret, visit->address, visit->sees_all, &after);
    struct http_answer answer = {.once = true};

    if (!stream)
        return feed_unavailable(visit);
    answer.page = http_page_new_streaming(200, headers, sizeof headers / sizeof *headers, stream);
    return answer;
}
