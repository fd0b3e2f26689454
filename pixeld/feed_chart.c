/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_chart.h"

#include "pixeld/chart.h"
#include "pixeld/markup.h"

#include <stdio.h>
#include <string.h>

enum { DAYS_MAX = 31, PAGES_MAX = 60 /* as spoor.my_document_pages() gives */ };

/* "2026-11-30" is "30". */
static const char *day_of(const char *date)
{
    const char *day = strrchr(date, '-');

    return day ? day + 1 + (day[1] == '0') : date;
}

struct day {
    char date[16];
    long views, clicks;
};

/* Adds what one server has of the days; the one that is asked first says which they are. */
static size_t add_days(struct db *db, const struct feed_visit *visit, const char *message, struct day *day, size_t days)
{
    struct db_result *rows = store_my_chart(db, visit->secret, message, FEED_ASK_MS);

    for (size_t row = 0; rows && row < db_rows(rows) && row < DAYS_MAX; row++) {
        const char *date = db_value(rows, row, DAY_DATE);
        size_t n = 0;

        while (n < days && strcmp(day[n].date, date) != 0)
            n++;
        if (n == days && days < DAYS_MAX) {
            day[days] = (struct day){.views = 0};
            snprintf(day[days++].date, sizeof day[n].date, "%s", date);
        }
        if (n < days) {
            day[n].views += (long)db_integer(rows, row, DAY_VIEWS);
            day[n].clicks += (long)db_integer(rows, row, DAY_CLICKS);
        }
    }
    db_result_free(rows);
    return days;
}

static size_t read_days(const struct feed_visit *visit, const char *message, struct day *day)
{
    size_t days = 0;

    if (message)
        return add_days(visit->db, visit, message, day, 0);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (visit->servers.db[shard])
            days = add_days(visit->servers.db[shard], visit, NULL, day, days);
    return days;
}

/* The page goes on counting, so it has both words. */
static void add_sum(struct buf *html, const char *what, long sum, const char *one, const char *many)
{
    buf_add_f(html, "<p><b data-counts=\"%s\">%ld</b> <span data-one=\"%s\" data-many=\"%s\">%s</span></p>", what, sum, one, many,
              sum == 1 ? one : many);
}

void feed_chart_add(struct buf *html, const struct feed_visit *visit, const char *message)
{
    struct day day[DAYS_MAX];
    size_t days = read_days(visit, message, day);
    struct chart_bar bar[DAYS_MAX];
    char words[DAYS_MAX][96];
    long views = 0, clicks = 0;

    for (size_t n = 0; n < days; n++) {
        snprintf(words[n], sizeof words[n], "%.10s: %ld %s, %ld %s followed", day[n].date, day[n].views,
                 day[n].views == 1 ? "view" : "views", day[n].clicks, day[n].clicks == 1 ? "link" : "links");
        bar[n] = (struct chart_bar){.label = n % 2 == days % 2 ? NULL : day_of(day[n].date), .words = words[n],
                                    .value = day[n].views + day[n].clicks, .part = day[n].clicks};
        views += day[n].views;
        clicks += day[n].clicks;
    }
    if (views + clicks) {
        buf_add_str(html, "<section class=\"card stats\"><div class=\"numbers\">");
        add_sum(html, "view", views, "view", "views");
        add_sum(html, "click", clicks, "link followed", "links followed");
        buf_add_f(html, "<p class=\"legend\">the last %zu days (UTC)%s, repeats too</p></div>", days, message ? "" : ", newest 500 mails");
        chart_add(html, "Views and links followed a day", bar, days);
        buf_add_str(html, "</section>\n");
    }
}

/* The rows from FIRST on that are one document's; gives how many. */
static size_t add_document(struct buf *html, const struct db_result *rows, size_t first)
{
    struct chart_bar bar[PAGES_MAX];
    char words[PAGES_MAX][64];
    int64_t document = db_integer(rows, first, PAGE_ATTACHMENT), whole = 0;
    size_t pages = 0;

    for (size_t row = first; row < db_rows(rows) && pages < PAGES_MAX && db_integer(rows, row, PAGE_ATTACHMENT) == document; row++) {
        const char *page = db_value(rows, row, PAGE_NUMBER);

        snprintf(words[pages], sizeof words[pages], "Page %s: %s", page, db_value(rows, row, PAGE_READ_FOR));
        bar[pages] = (struct chart_bar){.label = page, .words = words[pages], .value = (long)db_integer(rows, row, PAGE_MS)};
        whole += bar[pages++].value;
    }
    if (whole == 0)
        return pages;
    markup_f(html, "<section class=\"card stats\"><div class=\"numbers\"><p><b>%s</b></p>", db_value(rows, first, PAGE_FILE_NAME));
    buf_add_str(html, "<p class=\"legend\">time on each page, all readers together</p></div>");
    chart_add(html, "Time on each page", bar, pages);
    buf_add_str(html, "</section>\n");
    return pages;
}

void feed_chart_add_pages(struct buf *html, const struct feed_visit *visit, const char *message)
{
    struct db_result *rows = store_my_document_pages(visit->db, visit->secret, message, FEED_ASK_MS);

    for (size_t row = 0; rows && row < db_rows(rows);)
        row += add_document(html, rows, row);
    db_result_free(rows);
}
