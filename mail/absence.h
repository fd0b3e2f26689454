/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * absence - the date an out-of-office names: "AUTO: Bob is out of the office (returning 30.11.2026)".
 *
 * A date counts beside a word that says so (until, bis, jusqu'au, back on, wieder da ab, ...), or as the second of a
 * range; in a subject also alone. Whether it is the last day away or the first day back is not told. Pure.
 */
#ifndef MAIL_ABSENCE_H
#define MAIL_ABSENCE_H

#include "common/slice.h"

enum { ABSENCE_DATE = 11 /* bytes of "2026-11-30" and a NUL */, ABSENCE_TEXT_MAX = 4096 /* of a text, read */ };

struct absence_mail { /* all UTF-8 */
    struct slice subject;
    struct slice text; /* the first of its body */
    struct slice date; /* its Date; a date without a year follows it. Empty: only full dates are read */
};

/* The end of the absence as an ISO 8601 date; false, with UNTIL "", when none is named. */
bool absence_until(const struct absence_mail *mail, char until[ABSENCE_DATE]);

#endif
