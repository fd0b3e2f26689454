/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chart - a small chart of bars as inline SVG. Pure.
 */
#ifndef PIXELD_CHART_H
#define PIXELD_CHART_H

#include "common/buf.h"

#include <stddef.h>

struct chart_bar {
    const char *label; /* under the bar; NULL: none */
    const char *words; /* read aloud, and shown when it is pointed at */
    long value;        /* 0 or more */
    long part;         /* of VALUE, in another colour: 0 to VALUE */
};

/* TITLE is read aloud. */
void chart_add(struct buf *out, const char *title, const struct chart_bar *bar, size_t bars);

#endif
