/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_chart.h"

#include "pixeld/chart.h"

#include <stdio.h>
#include <string.h>

enum { DAYS_MAX = 31 };

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
