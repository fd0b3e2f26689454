/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * date - days of the calendar and what people read of a time. Pure: the clock is in clock.h.
 *
 * Times are microseconds since 1970 UTC.
 */
#ifndef COMMON_DATE_H
#define COMMON_DATE_H

#include "common/buf.h"

#include <stdint.h>

/* Midnight UTC at the beginning of an ISO 8601 date, "2026-11-30"; 0 when it is none. */
int64_t date_begins_us(const char *date);

/* "2026-11-30 05:30 UTC" */
bool date_add(struct buf *out, int64_t time_us);
/* "2026-11-30T05:30:00Z" (RFC 3339) */
bool date_add_exact(struct buf *out, int64_t time_us);

#endif
