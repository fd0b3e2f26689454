/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/site.h"

#include "common/clock.h"

uint64_t site_record(struct site *site, const struct request *request, const struct token *token, struct slice raw)
{
    struct rules *rules = rulebook_take(site->rulebook);
    struct record_hit hit;
    uint64_t after = 0;

    if (hit_of(request, token, raw, rules, &site->hits, clock_wall_us(), &hit)) {
        if (slice_empty(raw)) /* else the token may be anybody's invention */
            metrics_count_hit(&site->metrics, &hit);
        after = journal_add(site->journal, &hit);
    }
    rules_let_go(rules);
    return after;
}

void site_settle(void *arg, uint64_t after, size_t answers)
{
    struct site *site = arg;

    journal_sync(site->journal, after, answers);
}
