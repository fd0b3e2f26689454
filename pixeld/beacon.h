/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * beacon - what the viewer's script sends: how long which page was in sight so far. Pure.
 *
 * One line of words with a single space between them:
 *     VIEW SEQUENCE VISIBLE_MS TRUSTED AUTOMATED CURRENT [PAGE:MS]...
 * VIEW is a view id; the others are decimal numbers without sign or leading zeros, pages ascending. The fields are those of struct
 * record_beacon.
 */
#ifndef PIXELD_BEACON_H
#define PIXELD_BEACON_H

#include "common/record_document.h"
#include "common/slice.h"

#include <stdint.h>

enum { BEACON_GRACE_MS = 2000 };

/* Sets what the script says, and VIEW to the first word. False when TEXT is no beacon; BEACON is void then. */
bool beacon_parse(struct slice text, struct slice *view, struct record_beacon *beacon);

/* Nothing can have been in sight for longer than ELAPSED_MS and BEACON_GRACE_MS, all pages together neither. */
void beacon_clamp(struct record_beacon *beacon, int64_t elapsed_ms);

#endif
