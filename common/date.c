/* SPDX-License-Identifier: BSD-2-Clause */
/* date - see date.h */

#include "common/date.h"

#include <stdio.h>
#include <time.h>

enum { DATE_TEXT = sizeof "2026-11-30 05:30:00 UTC" };

static const int64_t second_us = 1000000;

int64_t date_begins_us(const char *date)
{
    struct tm day = {0};

    if (sscanf(date, "%4d-%2d-%2d", &day.tm_year, &day.tm_mon, &day.tm_mday) != 3)
        return 0;
    day.tm_year -= 1900;
    day.tm_mon -= 1;
    return (int64_t)timegm(&day) * second_us;
}

static bool day_of(int64_t time_us, struct tm *day)
{
    time_t time_s = (time_t)(time_us / second_us);

    return gmtime_r(&time_s, day) != NULL;
}

bool date_add(struct buf *out, int64_t time_us)
{
    char text[DATE_TEXT];
    struct tm day;

    return day_of(time_us, &day) && strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &day) && buf_add_str(out, text);
}

bool date_add_exact(struct buf *out, int64_t time_us)
{
    char text[DATE_TEXT];
    struct tm day;

    return day_of(time_us, &day) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &day) && buf_add_str(out, text);
}
