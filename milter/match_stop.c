/* SPDX-License-Identifier: BSD-2-Clause */
/* match_stop - see match_stop.h */

#include "common/log.h"
#include "common/store.h"
#include "milter/match_stop.h"

#include <inttypes.h>

void match_unsettled(struct match_filter *filter)
{
    cache_set(filter->cache, "campaign", slice_str("unsettled"), slice_str("1"), (uint32_t)filter->conf->campaign_settle_s);
}

static void spool_stop(struct match_filter *filter, const struct record_stop *stop)
{
    struct buf payload;

    match_unsettled(filter);
    buf_init(&payload, RECORD_BYTES_MAX);
    record_stop_encode(stop, &payload);
    mlfi_record(filter->recorder, RECORD_STOP, &payload);
    buf_free(&payload);
}

void match_stop(struct match_filter *filter, const struct record_stop *stop, struct db *db, int left_ms)
{
    enum store_answer answer = db && left_ms > 0 ? store_stop(db, stop, left_ms) : STORE_AWAY;

    if (answer == STORE_NO)
        return;
    log_info("stop=%s message=%" PRIu64 " whom=<%.*s>%s", answer_class_name(stop->class_), stop->message,
             SLICE_ARG(stop->address), answer == STORE_AWAY ? " spooled=yes" : "");
    if (answer == STORE_AWAY)
        spool_stop(filter, stop);
}
