/* SPDX-License-Identifier: BSD-2-Clause */
/* match_stop - see match_stop.h */

#include "common/clock.h"
#include "common/log.h"
#include "common/store.h"
#include "mail/campaign.h"
#include "milter/match_stop.h"

#include <inttypes.h>

enum { UNSETTLED_S = 60 /* in which this program's loader comes back to a database that is back */ };

static void spool_stop(struct match_filter *filter, const struct record_stop *stop)
{
    struct buf payload;

    cache_set(filter->cache, "campaign", slice_str("unsettled"), slice_str("1"), UNSETTLED_S);
    buf_init(&payload, SPOOL_RECORD_MAX);
    record_stop_encode(stop, &payload);
    mlfi_record(filter->recorder, RECORD_STOP, &payload);
    buf_free(&payload);
}

void match_stop(struct match_filter *filter, const struct incoming_verdict *verdict, struct db *db, int left_ms)
{
    enum store_answer answer = STORE_AWAY;
    struct record_stop stop;

    if (!campaign_stop_of(verdict, filter->conf->match.stop_on_other, clock_wall_us(), &stop))
        return;
    if (db && left_ms > 0)
        answer = store_stop(db, &stop, left_ms);
    if (answer == STORE_YES)
        log_info("stop=%s message=%" PRIu64 " from=<%s>", answer_class_name(stop.class_), stop.message, verdict->from);
    if (answer == STORE_AWAY) {
        log_info("stop=%s message=%" PRIu64 " from=<%s> spooled=yes", answer_class_name(stop.class_), stop.message, verdict->from);
        spool_stop(filter, &stop);
    }
}
