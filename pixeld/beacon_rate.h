/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beacon_rate - how often a link may report what is read, for each report is a record in the spool.
 *
 * A script reports every five seconds at most and when it is left. Any thread may ask.
 */
#ifndef PIXELD_BEACON_RATE_H
#define PIXELD_BEACON_RATE_H

#include "common/token.h"

#include <stdbool.h>
#include <stdint.h>

enum { BEACONS_PER_MINUTE = 120, BEACONS_PER_MINUTE_SHARED = 1200 }; /* of a link that one person has, or several */

struct beacon_rate;

struct beacon_rate *beacon_rate_new(void); /* NULL without memory */
void beacon_rate_free(struct beacon_rate *rate);

/* One more report under that token; false when it was one too many in this minute. */
bool beacon_rate_allows(struct beacon_rate *rate, const struct token *token, int64_t now_ms);

#endif
