/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * destination - gives each distinct destination of a mail its number, from 1 in order of appearance.
 *
 * Keeps copies of the texts. Bounded by REWRITE_DESTINATIONS_MAX, so that a crafted mail cannot make it slow.
 */
#ifndef MAIL_DESTINATION_H
#define MAIL_DESTINATION_H

#include "common/slice.h"

#include <stdint.h>

enum { DESTINATION_SLOTS = 8192 };

struct destination {
    char *text;
    size_t len;
    uint32_t hash;
};

struct destination_table {
    struct destination *known; /* number N stands at N - 1 */
    unsigned count;
    uint16_t *slot; /* hash to number, 0 when free */
};

/* The number of URL, 0 when there are too many or without memory. */
unsigned destination_number(struct destination_table *table, struct slice url);
void destination_table_free(struct destination_table *table);

#endif
