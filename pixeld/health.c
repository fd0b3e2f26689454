/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/health.h"

#include "common/clock.h"

#include <inttypes.h>

enum { TEXT_MAX = 1024 };

static void add_troubles(struct site *site, struct buf *text)
{
    struct journal_state journal = journal_state(site->journal, clock_wall_us());
    struct loader_state loader = loader_state(site->loader);

    if (!journal.writable)
        buf_add_f(text, "spool: hits are answered but not recorded, %" PRIu64 " lost since the start\n", journal.lost);
    if (loader.lag_s > HEALTH_LAG_S)
        buf_add_f(text, "loader: the oldest record has waited %.0f s for the database, %" PRIu64 " bytes wait\n",
                  loader.lag_s, loader.waiting);
}

struct http_answer health_answer(struct site *site)
{
    static const struct http_header headers[] = {
        {"Content-Type", "text/plain; charset=utf-8"},
        {"Cache-Control", "no-store"},
    };
    struct http_answer answer = {.page = site->pages.healthy};
    struct buf text;

    buf_init(&text, TEXT_MAX);
    add_troubles(site, &text);
    if (text.len || text.failed)
        answer = (struct http_answer){
            .page = http_page_new(503, headers, sizeof headers / sizeof *headers, buf_slice(&text)),
            .once = true,
        };
    buf_free(&text);
    return answer;
}
