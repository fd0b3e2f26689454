/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics - what is counted while requests are answered, and /metrics.
 *
 * Counting takes one relaxed atomic addition and no lock; any thread may count. A struct metrics of zeros has counted
 * nothing.
 */
#ifndef PIXELD_METRICS_H
#define PIXELD_METRICS_H

#include "common/record.h"
#include "common/recorder.h"
#include "pixeld/http.h"
#include "pixeld/journal.h"
#include "pixeld/route.h"

#include <stdatomic.h>

enum { METRICS_STATUSES = 8, METRICS_KINDS = 8, METRICS_VERDICTS = 8 };

struct metrics {
    atomic_uint_fast64_t request[ROUTE_PLACES][METRICS_STATUSES];
    atomic_uint_fast64_t hit[METRICS_KINDS][METRICS_VERDICTS];
};

void metrics_count_request(struct metrics *metrics, enum route_place place, unsigned status);
void metrics_count_hit(struct metrics *metrics, const struct record_hit *hit);

/* What else is told, from whoever knows it; all live as long as the daemon answers. */
struct metrics_sources {
    struct http *http;
    struct journal *journal;
    const struct recorder *recorder;
    int64_t spool_max_bytes;
    uint64_t spool_start; /* metrics_appended() at the start */
    int64_t start_us;     /* since 1970 */
};
/* Where the spools stand, all together. */
uint64_t metrics_appended(const struct recorder *recorder);

void metrics_add_text(struct metrics *metrics, const struct metrics_sources *sources, struct buf *out);

#endif
