/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_time - the time that begins a line of a mail log.
 *
 * Two forms: "Nov 21 07:01:10" of RFC 3164, in local time and without a year, and that of RFC 3339, which RFC 5424
 * and newer syslog daemons write. Parsing is pure; log_time_us() asks the C library for the local time zone.
 */
#ifndef DELIVERY_LOG_TIME_H
#define DELIVERY_LOG_TIME_H

#include "common/slice.h"

#include <stdbool.h>
#include <stdint.h>

struct log_time {
    int year;     /* 0: the line names none */
    int month;    /* from 1 */
    int day;      /* from 1 */
    int second;   /* since midnight */
    int microsecond;
    bool zoned;
    int offset_s; /* east of UTC, when zoned */
};

/* Takes the time and the blanks behind it off the front of TEXT; false, TEXT as it was, when none stands there. */
bool log_time_take(struct slice *text, struct log_time *time);

/*
 * Microseconds since 1970 UTC. A line without a year is of the last twelve months: the latest year that does not put
 * it more than a day behind NOW_US. 0 for a time that cannot be.
 */
int64_t log_time_us(const struct log_time *time, int64_t now_us);

/* The same, without asking about the time zone again for a line of the same hour as the last one. */
struct log_hour {
    struct log_time time; /* of a line */
    int64_t begins_us;
};
int64_t log_hour_us(struct log_hour *hour, const struct log_time *time, int64_t now_us);

#endif
