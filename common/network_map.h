/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * network_map - from an address to a number, by the most specific network that holds it.
 *
 * For hundreds of thousands of networks: they are laid out as ranges without overlap, neighbours with one number
 * become one range, and a question is a binary search. Add networks, then build; a built map is read-only and may be
 * asked by all threads. IPv4 lies where network.h puts it.
 */
#ifndef COMMON_NETWORK_MAP_H
#define COMMON_NETWORK_MAP_H

#include "common/network.h"

struct network_map;

struct network_map *network_map_new(void); /* NULL without memory */
void network_map_free(struct network_map *map);

/* NUMBER is not 0. Of two equal networks the first counts. False without memory. */
bool network_map_add(struct network_map *map, const struct network *network, uint16_t number);
/* Once, after the last addition. False without memory. */
bool network_map_build(struct network_map *map);

/* 0: no network has it. */
uint16_t network_map_find(const struct network_map *map, const uint8_t address[16]);
size_t network_map_ranges(const struct network_map *map);

#endif
