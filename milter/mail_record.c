/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_record - see mail_record.h */

#include "milter/mail_record.h"

#include "common/log.h"

static bool note(struct recorder *recorder, enum record_kind kind, const struct buf *payload, bool durable)
{
    static struct log_throttle throttle = {.every_seconds = 60};
    enum spool_result result = recorder_write(recorder, kind, payload, durable);

    if (result == SPOOL_FULL)
        log_throttled(&throttle, LOG_ERR, "spool %s is full: mail passes without a record",
                      recorder_lane_of(recorder, kind, buf_slice(payload))->directory);
    else if (result == SPOOL_FAILED)
        log_throttled(&throttle, LOG_ERR, "cannot write to spool %s: %m: mail passes without a record",
                      recorder_lane_of(recorder, kind, buf_slice(payload))->directory);
    return result == SPOOL_OK;
}

bool mail_record_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload)
{
    return note(recorder, kind, payload, true);
}

bool mail_record_write_ahead(struct recorder *recorder, enum record_kind kind, const struct buf *payload)
{
    return note(recorder, kind, payload, false);
}
