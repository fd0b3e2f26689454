/* SPDX-License-Identifier: BSD-2-Clause */
/* destination - see destination.h */

#include "mail/destination.h"
#include "mail/rewrite_terms.h"

#include <stdlib.h>

static uint32_t hash_of(struct slice url)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t at = 0; at < url.len; at++)
        hash = (hash ^ (unsigned char)url.p[at]) * 16777619u;
    return hash;
}

static bool make_room(struct destination_table *table)
{
    if (!table->known)
        table->known = calloc(REWRITE_DESTINATIONS_MAX, sizeof *table->known);
    if (!table->slot)
        table->slot = calloc(DESTINATION_SLOTS, sizeof *table->slot);
    return table->known && table->slot;
}

unsigned destination_number(struct destination_table *table, struct slice url)
{
    uint32_t hash = hash_of(url), slot = hash % DESTINATION_SLOTS;
    struct destination *destination;

    if (!make_room(table))
        return 0;
    for (; table->slot[slot]; slot = (slot + 1) % DESTINATION_SLOTS) {
        destination = &table->known[table->slot[slot] - 1];
        if (destination->hash == hash && slice_eq(slice_of(destination->text, destination->len), url))
            return table->slot[slot];
    }
    if (table->count == REWRITE_DESTINATIONS_MAX)
        return 0;
    destination = &table->known[table->count];
    destination->text = strndup(url.p, url.len);
    if (!destination->text)
        return 0;
    destination->len = url.len;
    destination->hash = hash;
    table->slot[slot] = (uint16_t)++table->count;
    return table->count;
}

void destination_table_free(struct destination_table *table)
{
    for (unsigned at = 0; at < table->count; at++)
        free(table->known[at].text);
    free(table->known);
    free(table->slot);
    *table = (struct destination_table){0};
}
