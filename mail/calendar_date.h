/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * calendar_date - a date in running text, as people of many languages write it.
 *
 * 2026-12-01, 1.12.2026, 1. Dezember 2026, 1 de diciembre de 2026, December 1st, 2026 and the like. With slashes or
 * hyphens day and month cannot be told apart, so 01/12/2026 is none, but 25/12/2026 is one. Text is UTF-8. Pure.
 */
#ifndef MAIL_CALENDAR_DATE_H
#define MAIL_CALENDAR_DATE_H

#include "common/slice.h"

struct calendar_date {
    unsigned year, month, day;
    bool guessed; /* the year was left out (0) or has two digits: calendar_date_settle() decides */
};

/* The date that TEXT begins with: its length, 0 when there is none. */
size_t calendar_date_read(struct slice text, struct calendar_date *date);

/* A guessed date is settled by one not long before it; false when that does not make it a date. */
bool calendar_date_settle(struct calendar_date *date, const struct calendar_date *reference);

#endif
