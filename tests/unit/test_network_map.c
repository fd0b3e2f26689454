/* SPDX-License-Identifier: BSD-2-Clause */
/* the most specific network, against a search through all of them; and how small a great list becomes */

#include "common/network_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 300, NETWORKS_MAX = 60, QUESTIONS = 200 };

static uint64_t state_of_chance = 88172645463325252u;

static uint32_t chance(uint32_t below)
{
    state_of_chance ^= state_of_chance << 13;
    state_of_chance ^= state_of_chance >> 7;
    state_of_chance ^= state_of_chance << 17;
    return (uint32_t)(state_of_chance >> 33) % below;
}

/* Few different bytes, so that networks nest, touch and are equal. */
static void some_address(uint8_t address[16])
{
    static const uint8_t bytes[] = {0, 1, 127, 128, 255};
    size_t varied = chance(4) * 5; /* behind these all are alike */

    for (size_t at = 0; at < 16; at++)
        address[at] = at <= varied ? bytes[chance(5)] : at % 2 ? 0xff : 0;
}

static struct network some_network(void)
{
    struct network network = {.bits = chance(20) == 0 ? 0 : chance(129)};

    some_address(network.address);
    for (unsigned bit = network.bits; bit < 128; bit++)
        network.address[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
    return network;
}

static uint16_t naive(const struct network *network, size_t count, const uint8_t address[16])
{
    size_t best = count;

    for (size_t n = 0; n < count; n++)
        if (network_has(&network[n], address) && (best == count || network[n].bits > network[best].bits))
            best = n;
    return best == count ? 0 : (uint16_t)(best / 3 + 1); /* three share a number */
}

static void the_same_as_a_search_through_all(void **state)
{
    (void)state;
    for (size_t round = 0; round < ROUNDS; round++) {
        struct network network[NETWORKS_MAX];
        size_t count = chance(NETWORKS_MAX + 1);
        struct network_map *map = network_map_new();
        uint8_t address[16];

        assert_non_null(map);
        for (size_t n = 0; n < count; n++) {
            network[n] = some_network();
            assert_true(network_map_add(map, &network[n], (uint16_t)(n / 3 + 1)));
        }
        assert_true(network_map_build(map));
        for (size_t n = 0; n < QUESTIONS; n++) {
            some_address(address);
            if (count && n % 3 == 0) /* the very edge of one */
                memcpy(address, network[chance((uint32_t)count)].address, 16);
            assert_int_equal(network_map_find(map, address), naive(network, count, address));
        }
        network_map_free(map);
    }
}

static void add(struct network_map *map, const char *text, uint16_t number)
{
    struct network network;

    assert_true(network_parse(slice_str(text), &network));
    assert_true(network_map_add(map, &network, number));
}

static uint16_t find(const struct network_map *map, const char *text)
{
    struct network network;

    assert_true(network_parse(slice_str(text), &network));
    return network_map_find(map, network.address);
}

static void nested_networks(void **state)
{
    struct network_map *map = network_map_new();

    (void)state;
    add(map, "10.0.0.0/8", 1);
    add(map, "10.1.0.0/16", 2);
    add(map, "10.1.0.0/24", 3);
    add(map, "10.1.0.0/24", 4); /* the first stays */
    add(map, "ffff::/16", 5);
    assert_true(network_map_build(map));
    assert_int_equal(find(map, "9.255.255.255"), 0);
    assert_int_equal(find(map, "10.0.255.255"), 1);
    assert_int_equal(find(map, "10.1.0.0"), 3);
    assert_int_equal(find(map, "10.1.0.255"), 3);
    assert_int_equal(find(map, "10.1.1.0"), 2);
    assert_int_equal(find(map, "10.2.0.0"), 1);
    assert_int_equal(find(map, "11.0.0.0"), 0);
    assert_int_equal(find(map, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 5);
    network_map_free(map);
}

static void nothing_in_it(void **state)
{
    struct network_map *map = network_map_new();

    (void)state;
    assert_true(network_map_build(map));
    assert_int_equal(find(map, "10.0.0.1"), 0);
    network_map_free(map);
}

/* As relays publish them: 300,000 small networks side by side, in an order of its own. */
static void neighbours_become_one(void **state)
{
    enum { MANY = 300000 };
    struct network_map *map = network_map_new();

    (void)state;
    for (uint32_t n = 0; n < MANY; n++) {
        uint32_t place = n * 7919 % MANY;
        struct network network = {.address = {0x2a, 0x02, 0x26, (uint8_t)(place >> 16), (uint8_t)(place >> 8), (uint8_t)place},
                                  .bits = 48};

        assert_true(network_map_add(map, &network, 1));
    }
    assert_true(network_map_build(map));
    assert_true(network_map_ranges(map) <= 2);
    assert_int_equal(find(map, "2a02:2600:1::1"), 1);
    assert_int_equal(find(map, "2a02:25ff:ffff::1"), 0);
    network_map_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_as_a_search_through_all),
        cmocka_unit_test(nested_networks),
        cmocka_unit_test(nothing_in_it),
        cmocka_unit_test(neighbours_become_one),
    };

    return cmocka_run_group_tests_name("network_map", tests, NULL, NULL);
}
