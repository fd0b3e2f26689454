/* SPDX-License-Identifier: BSD-2-Clause */
/* network_map - see network_map.h */

#include "common/network_map.h"

#include <stdlib.h>
#include <string.h>

enum { NESTED_MAX = 129 /* lengths that a network can have */, FIRST_ROOM = 64 };

struct point { /* an address as a number */
    uint64_t high, low;
};

struct item {
    struct point first;
    uint32_t order; /* of its addition */
    uint8_t bits;
    uint16_t number;
};

struct network_map {
    struct item *item; /* until it is built */
    size_t items, item_room;
    struct point *start; /* of each range, ascending; it ends where the next begins */
    uint16_t *number;    /* of each range; 0: no network */
    size_t ranges;
};

static uint64_t read_64(const uint8_t *bytes)
{
    uint64_t value = 0;

    for (size_t at = 0; at < 8; at++)
        value = value << 8 | bytes[at];
    return value;
}

static struct point point_of(const uint8_t address[16])
{
    return (struct point){read_64(address), read_64(address + 8)};
}

static int compare_points(struct point a, struct point b)
{
    if (a.high != b.high)
        return a.high < b.high ? -1 : 1;
    return a.low < b.low ? -1 : a.low > b.low;
}

/* The address behind a network; false when that is the end of all addresses. */
static bool point_behind(const struct item *item, struct point *behind)
{
    unsigned host_bits = 128u - item->bits;

    *behind = item->first;
    if (host_bits == 128)
        return false;
    if (host_bits >= 64) {
        behind->high += UINT64_C(1) << (host_bits - 64);
        return behind->high != 0;
    }
    behind->low += UINT64_C(1) << host_bits;
    if (behind->low == 0)
        behind->high++;
    return behind->low != 0 || behind->high != 0;
}

struct network_map *network_map_new(void)
{
    return calloc(1, sizeof(struct network_map));
}

void network_map_free(struct network_map *map)
{
    if (!map)
        return;
    free(map->item);
    free(map->start);
    free(map->number);
    free(map);
}

bool network_map_add(struct network_map *map, const struct network *network, uint16_t number)
{
    if (map->items == UINT32_MAX)
        return false;
    if (map->items == map->item_room) {
        size_t room = map->item_room ? 2 * map->item_room : FIRST_ROOM;
        struct item *grown = reallocarray(map->item, room, sizeof *grown);

        if (!grown)
            return false;
        map->item = grown;
        map->item_room = room;
    }
    map->item[map->items] = (struct item){point_of(network->address), (uint32_t)map->items, (uint8_t)network->bits, number};
    map->items++;
    return true;
}

/* By address; of two with one address the larger first, of equal ones the last added, for the last laid down stays. */
static int compare_items(const void *left, const void *right)
{
    const struct item *a = left, *b = right;
    int order = compare_points(a->first, b->first);

    if (order)
        return order;
    if (a->bits != b->bits)
        return a->bits < b->bits ? -1 : 1;
    return a->order > b->order ? -1 : 1;
}

/* From START on it is NUMBER. */
static void lay(struct network_map *map, struct point start, uint16_t number)
{
    if (map->ranges && compare_points(map->start[map->ranges - 1], start) == 0)
        map->ranges--;
    if (number == (map->ranges ? map->number[map->ranges - 1] : 0))
        return;
    map->start[map->ranges] = start;
    map->number[map->ranges++] = number;
}

/* The networks that hold where we are, the outermost first. */
struct nest {
    const struct item *item[NESTED_MAX];
    size_t depth;
};

/* Closes those that end at or before UNTIL, or all without one. */
static void close_nested(struct network_map *map, struct nest *nest, const struct point *until)
{
    struct point behind;

    while (nest->depth) {
        bool ends = point_behind(nest->item[nest->depth - 1], &behind);

        if (until && (!ends || compare_points(behind, *until) > 0))
            return;
        nest->depth--;
        if (ends)
            lay(map, behind, nest->depth ? nest->item[nest->depth - 1]->number : 0);
    }
}

static bool is_same(const struct item *a, const struct item *b)
{
    return a->bits == b->bits && compare_points(a->first, b->first) == 0;
}

static void shrink(struct network_map *map)
{
    struct point *start = map->ranges ? reallocarray(map->start, map->ranges, sizeof *start) : NULL;
    uint16_t *number = map->ranges ? reallocarray(map->number, map->ranges, sizeof *number) : NULL;

    if (start)
        map->start = start;
    if (number)
        map->number = number;
    free(map->item);
    map->item = NULL;
    map->items = map->item_room = 0;
}

bool network_map_build(struct network_map *map)
{
    struct nest nest = {.depth = 0};

    map->start = calloc(2 * map->items + 1, sizeof *map->start);
    map->number = calloc(2 * map->items + 1, sizeof *map->number);
    if (!map->start || !map->number)
        return false;
    if (map->items)
        qsort(map->item, map->items, sizeof *map->item, compare_items);
    for (size_t at = 0; at < map->items; at++) {
        const struct item *item = &map->item[at];

        close_nested(map, &nest, &item->first);
        if (nest.depth && is_same(nest.item[nest.depth - 1], item))
            nest.depth--;
        nest.item[nest.depth++] = item;
        lay(map, item->first, item->number);
    }
    close_nested(map, &nest, NULL);
    shrink(map);
    return true;
}

uint16_t network_map_find(const struct network_map *map, const uint8_t address[16])
{
    struct point wanted = point_of(address);
    size_t low = 0, high = map->ranges; /* the range lies before HIGH and not before LOW - 1 */

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare_points(map->start[middle], wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low ? map->number[low - 1] : 0;
}

size_t network_map_ranges(const struct network_map *map)
{
    return map->ranges;
}
