/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * absence - the date an out-of-office names: "AUTO: Bob is out of the office (returning 30.11.2026)".
 *
 * Only forms with one meaning are read: 2026-11-30 and 30.11.2026. With slashes day and month cannot be told apart.
 * Pure.
 */
#ifndef MAIL_ABSENCE_H
#define MAIL_ABSENCE_H

#include "common/slice.h"

enum { ABSENCE_DATE = 11 }; /* bytes of "2026-11-30" and a NUL */

/* The last date in TEXT, as an ISO 8601 one; false, with UNTIL "", when there is none. */
bool absence_until(struct slice text, char until[ABSENCE_DATE]);

#endif
