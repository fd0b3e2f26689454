/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name_set - see name_set.h
 *
 * The names are sorted. Of those that a text begins with, the longest is the greatest name that is not behind the text,
 * or one that it begins with; so each name knows the next shorter one.
 */
#include "pixeld/name_set.h"

#include <stdlib.h>

enum { FIRST_ROOM = 64 };
static const uint32_t no_parent = UINT32_MAX;

bool name_set_add(struct name_set *set, struct slice text, uint32_t number)
{
    if (set->count == set->room) {
        size_t room = set->room ? 2 * set->room : FIRST_ROOM;
        struct name *grown = reallocarray(set->item, room, sizeof *grown);

        if (!grown)
            return false;
        set->item = grown;
        set->room = room;
    }
    set->item[set->count++] = (struct name){text, number, no_parent};
    return true;
}

void name_set_free(struct name_set *set)
{
    free(set->item);
    *set = (struct name_set){.item = NULL};
}

static unsigned char lower_at(struct slice s, size_t at)
{
    return (unsigned char)ascii_lower(s.p[at]);
}

/* As strcmp does, without regard to case. */
static int compare(struct slice a, struct slice b)
{
    size_t at = 0;

    while (at < a.len && at < b.len && lower_at(a, at) == lower_at(b, at))
        at++;
    if (at == a.len || at == b.len)
        return (a.len > b.len) - (a.len < b.len);
    return lower_at(a, at) < lower_at(b, at) ? -1 : 1;
}

static int compare_names(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    int order = compare(a->text, b->text);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

void name_set_build(struct name_set *set)
{
    unsigned byte = 0;

    if (set->count)
        qsort(set->item, set->count, sizeof *set->item, compare_names);
    for (size_t n = 0; n < set->count; n++) {
        uint32_t candidate = n ? (uint32_t)n - 1 : no_parent;

        while (candidate != no_parent && !slice_starts_i(set->item[n].text, set->item[candidate].text))
            candidate = set->item[candidate].parent;
        set->item[n].parent = candidate;
        for (; byte <= lower_at(set->item[n].text, 0); byte++)
            set->first[byte] = (uint32_t)n;
    }
    for (; byte < 257; byte++)
        set->first[byte] = (uint32_t)set->count;
}

void name_set_find(const struct name_set *set, struct slice rest, void (*found)(void *arg, uint32_t number), void *arg)
{
    unsigned byte;
    uint32_t low, high, at;

    if (rest.len == 0 || set->count == 0)
        return;
    byte = lower_at(rest, 0);
    low = set->first[byte];
    high = set->first[byte + 1];
    if (low == high)
        return;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (compare(set->item[middle].text, rest) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (at = low ? low - 1 : no_parent; at != no_parent; at = set->item[at].parent)
        if (slice_starts_i(rest, set->item[at].text))
            found(arg, set->item[at].number);
}
