/* SPDX-License-Identifier: BSD-2-Clause */
/* log_time - see log_time.h */

#include "delivery/log_time.h"

#include <time.h>

enum { SECONDS_A_DAY = 86400, MICROSECONDS = 1000000, FRACTION_DIGITS = 6 };

/* A number of exactly so many digits off the front; -1 when they are not there. */
static int take_digits(struct slice *text, size_t digits)
{
    int number = 0;

    if (text->len < digits)
        return -1;
    for (size_t at = 0; at < digits; at++) {
        if (!ascii_is_digit(text->p[at]))
            return -1;
        number = number * 10 + (text->p[at] - '0');
    }
    *text = slice_from(*text, digits);
    return number;
}

static bool take_char(struct slice *text, char wanted)
{
    if (slice_empty(*text) || text->p[0] != wanted)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

/* "07:01:10" as seconds since midnight; a leap second counts as the one before it. */
static bool take_clock(struct slice *text, int *second)
{
    int hours, minutes, seconds;

    if ((hours = take_digits(text, 2)) < 0 || !take_char(text, ':') || (minutes = take_digits(text, 2)) < 0 ||
        !take_char(text, ':') || (seconds = take_digits(text, 2)) < 0)
        return false;
    if (hours > 23 || minutes > 59 || seconds > 60)
        return false;
    *second = hours * 3600 + minutes * 60 + (seconds < 60 ? seconds : 59);
    return true;
}

/* NAME has three letters or more. */
static int month_named(struct slice name)
{
    static const char months[][4] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    const char wanted[4] = {ascii_lower(name.p[0]), ascii_lower(name.p[1]), ascii_lower(name.p[2]), '\0'};

    for (int month = 0; month < 12; month++)
        if (memcmp(months[month], wanted, sizeof wanted) == 0)
            return month + 1;
    return 0;
}

/* RFC 3164, 4.1.2: "Nov 21 07:01:10"; a day below ten has a blank before it. */
static bool take_short(struct slice *text, struct log_time *time)
{
    if (text->len < 7)
        return false;
    time->month = month_named(*text);
    *text = slice_from(*text, 3);
    if (time->month == 0 || !take_char(text, ' '))
        return false;
    time->day = take_char(text, ' ') ? take_digits(text, 1) : take_digits(text, 2);
    return time->day > 0 && take_char(text, ' ') && take_clock(text, &time->second);
}

static void take_fraction(struct slice *text, struct log_time *time)
{
    int digits = 0;

    for (; text->len && ascii_is_digit(text->p[0]); *text = slice_from(*text, 1))
        if (digits++ < FRACTION_DIGITS)
            time->microsecond = time->microsecond * 10 + (text->p[0] - '0');
    for (; digits < FRACTION_DIGITS; digits++)
        time->microsecond *= 10;
}

/* RFC 3339, 5.6: "Z", "+01:00"; some daemons leave the colon out. */
static bool take_zone(struct slice *text, struct log_time *time)
{
    bool west = take_char(text, '-');
    int hours, minutes;

    time->zoned = true;
    if (!west && (take_char(text, 'Z') || take_char(text, 'z')))
        return true;
    if (!west && !take_char(text, '+')) {
        time->zoned = false;
        return true;
    }
    if ((hours = take_digits(text, 2)) < 0 || hours > 23)
        return false;
    take_char(text, ':');
    if ((minutes = take_digits(text, 2)) < 0 || minutes > 59)
        return false;
    time->offset_s = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool take_long(struct slice *text, struct log_time *time)
{
    if ((time->year = take_digits(text, 4)) < 1970 || !take_char(text, '-') ||
        (time->month = take_digits(text, 2)) < 1 || time->month > 12 || !take_char(text, '-') ||
        (time->day = take_digits(text, 2)) < 1)
        return false;
    if (!take_char(text, 'T') && !take_char(text, 't') && !take_char(text, ' '))
        return false;
    if (!take_clock(text, &time->second))
        return false;
    if (take_char(text, '.'))
        take_fraction(text, time);
    return take_zone(text, time);
}

bool log_time_take(struct slice *text, struct log_time *time)
{
    struct slice rest = *text;
    bool taken;

    *time = (struct log_time){0};
    taken = rest.len && ascii_is_digit(rest.p[0]) ? take_long(&rest, time) : take_short(&rest, time);
    if (!taken || time->day > 31 || !take_char(&rest, ' '))
        return false;
    while (take_char(&rest, ' '))
        continue;
    *text = rest;
    return true;
}

/* -1 for a time that cannot be. */
static time_t seconds_in_year(const struct log_time *time, int year)
{
    struct tm parts = {
        .tm_year = year - 1900, .tm_mon = time->month - 1, .tm_mday = time->day, .tm_hour = time->second / 3600,
        .tm_min = time->second / 60 % 60, .tm_sec = time->second % 60, .tm_isdst = -1};

    return time->zoned ? timegm(&parts) : mktime(&parts);
}

int64_t log_time_us(const struct log_time *time, int64_t now_us)
{
    time_t now = (time_t)(now_us / MICROSECONDS);
    struct tm today;
    time_t seconds;
    int year = time->year;

    if (year == 0) {
        if (!localtime_r(&now, &today))
            return 0;
        year = today.tm_year + 1900 + 1; /* on New Year's Eve a clock may be ahead */
        while ((seconds = seconds_in_year(time, year)) > now + SECONDS_A_DAY && year > today.tm_year + 1900 - 1)
            year--;
    }
    seconds = seconds_in_year(time, year);
    return seconds < 0 ? 0 : ((int64_t)seconds - time->offset_s) * MICROSECONDS + time->microsecond;
}

static bool same_hour(const struct log_time *a, const struct log_time *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day && a->second / 3600 == b->second / 3600 &&
           a->zoned == b->zoned && a->offset_s == b->offset_s;
}

int64_t log_hour_us(struct log_hour *hour, const struct log_time *time, int64_t now_us)
{
    struct log_time begin = *time;

    if (hour->begins_us == 0 || !same_hour(&hour->time, time)) {
        begin.second -= begin.second % 3600;
        begin.microsecond = 0;
        hour->time = *time;
        hour->begins_us = log_time_us(&begin, now_us);
    }
    return hour->begins_us == 0 ? 0 : hour->begins_us + (int64_t)(time->second % 3600) * MICROSECONDS + time->microsecond;
}
