/* SPDX-License-Identifier: BSD-2-Clause */
/* absence - see absence.h */

#include "mail/absence.h"

#include <stdio.h>

struct date {
    unsigned year, month, day;
};

/* Takes one to MOST digits off TEXT. */
static bool take_number(struct slice *text, size_t most, unsigned *number)
{
    size_t len = 0;

    *number = 0;
    while (len < text->len && len < most && ascii_is_digit(text->p[len]))
        *number = *number * 10 + (unsigned)(text->p[len++] - '0');
    *text = slice_from(*text, len);
    return len > 0;
}

static bool take(struct slice *text, char c)
{
    if (text->len == 0 || text->p[0] != c)
        return false;
    *text = slice_from(*text, 1);
    return true;
}

static bool is_date(const struct date *date, struct slice rest)
{
    bool ends = rest.len == 0 || !ascii_is_digit(rest.p[0]);

    return ends && date->year >= 2000 && date->year <= 2999 && date->month >= 1 && date->month <= 12 &&
           date->day >= 1 && date->day <= 31;
}

static bool date_at(struct slice text, struct date *date)
{
    struct slice iso = text, dotted = text;

    if (take_number(&iso, 4, &date->year) && take(&iso, '-') && take_number(&iso, 2, &date->month) &&
        take(&iso, '-') && take_number(&iso, 2, &date->day) && is_date(date, iso))
        return true;
    return take_number(&dotted, 2, &date->day) && take(&dotted, '.') && take_number(&dotted, 2, &date->month) &&
           take(&dotted, '.') && take_number(&dotted, 4, &date->year) && is_date(date, dotted);
}

bool absence_until(struct slice text, char until[ABSENCE_DATE])
{
    until[0] = '\0';
    for (size_t at = 0; at < text.len; at++) {
        bool begins = at == 0 || !(ascii_is_digit(text.p[at - 1]) || text.p[at - 1] == '.');
        struct date date;

        if (begins && date_at(slice_from(text, at), &date))
            snprintf(until, ABSENCE_DATE, "%04u-%02u-%02u", date.year % 10000, date.month % 100, date.day % 100);
    }
    return until[0] != '\0';
}
