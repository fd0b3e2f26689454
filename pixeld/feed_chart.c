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

void feed_chart_add(struct buf *html, const struct feed_visit *visit, const char *message)
{
    struct db_result *rows = store_my_chart(visit->db, visit->secret, message, FEED_ASK_MS);
    size_t days = rows && db_rows(rows) < DAYS_MAX ? db_rows(rows) : 0;
    struct chart_bar bar[DAYS_MAX];
    char words[DAYS_MAX][96];
    long views = 0, clicks = 0;

    for (size_t n = 0; n < days; n++) {
        long seen = (long)db_integer(rows, n, DAY_VIEWS), followed = (long)db_integer(rows, n, DAY_CLICKS);

        snprintf(words[n], sizeof words[n], "%s: %ld views, %ld links followed", db_value(rows, n, DAY_DATE), seen, followed);
        bar[n] = (struct chart_bar){.label = n % 2 == days % 2 ? NULL : day_of(db_value(rows, n, DAY_DATE)), .words = words[n],
                                    .value = seen + followed, .part = followed};
        views += seen;
        clicks += followed;
    }
    if (views + clicks) {
        buf_add_f(html, "<section class=\"card stats\"><div class=\"numbers\"><p><b data-counts=\"view\">%ld</b> views</p>"
                        "<p><b data-counts=\"click\">%ld</b> links followed</p>"
                        "<p class=\"legend\">the last %zu days%s</p></div>", views, clicks, days,
                  message ? "" : ", newest 500 mails");
        chart_add(html, "Views and links followed a day", bar, days);
        buf_add_str(html, "</section>\n");
    }
    db_result_free(rows);
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
