/* SPDX-License-Identifier: BSD-2-Clause */
/* IP networks: what is one, and who is in it */

#include "common/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

static void what_is_no_network_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.0/0008", "10.1.0.0/8", "10.0.0/24",
        "2001:db8::/129", "2001:db8::1/64", "example.com", " 10.0.0.0/8", "[::1]", "::ffff:10.0.0.0/104x",
    };
    struct network network;

    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (network_parse(slice_str(bad[n]), &network))
            fail_msg("took %s", bad[n]);
    assert_false(network_parse(slice_of("10.0.0.0\0/8", 11), &network));
}

static bool has(const char *network_text, const char *address_text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    char *texts[] = {strdup(network_text)};
    struct network_list list;
    bool found;

    assert_true(network_list_parse(&list, texts, 1));
    if (inet_pton(AF_INET, address_text, &v4.sin_addr) == 1) {
        found = network_list_has(&list, (const struct sockaddr *)&v4);
    } else {
        assert_int_equal(inet_pton(AF_INET6, address_text, &v6.sin6_addr), 1);
        found = network_list_has(&list, (const struct sockaddr *)&v6);
    }
    network_list_free(&list);
    free(texts[0]);
    return found;
}

static void addresses_are_found_in_their_networks(void **state)
{
    (void)state;
    assert_true(has("10.0.0.0/8", "10.255.255.255"));
    assert_false(has("10.0.0.0/8", "11.0.0.0"));
    assert_true(has("192.0.2.128/25", "192.0.2.200"));
    assert_false(has("192.0.2.128/25", "192.0.2.127"));
    assert_true(has("192.0.2.1", "192.0.2.1"));
    assert_false(has("192.0.2.1", "192.0.2.2"));
    assert_true(has("0.0.0.0/0", "203.0.113.9"));
    assert_false(has("0.0.0.0/0", "2001:db8::1"));
    assert_true(has("::/0", "2001:db8::1"));
    assert_true(has("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(has("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(has("::1", "::1"));
    assert_true(has("127.0.0.0/8", "::ffff:127.0.0.1"));
    assert_true(has("::ffff:127.0.0.0/104", "127.0.0.1"));
}

static void other_families_are_in_no_list(void **state)
{
    char text[] = "::/0";
    char *texts[] = {text};
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct network_list list;

    (void)state;
    assert_true(network_list_parse(&list, texts, 1));
    assert_false(network_list_has(&list, (const struct sockaddr *)&local));
    assert_false(network_list_has(&list, NULL));
    network_list_free(&list);
}

static void a_list_with_one_bad_item_is_none(void **state)
{
    char good[] = "10.0.0.0/8", bad[] = "10.0.0.1/8";
    char *texts[] = {good, bad};
    struct network_list list;

    (void)state;
    assert_false(network_list_parse(&list, texts, 2));
    assert_int_equal(list.count, 0);
    assert_true(network_list_parse(&list, NULL, 0));
    network_list_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_no_network_is_refused),
        cmocka_unit_test(addresses_are_found_in_their_networks),
        cmocka_unit_test(other_families_are_in_no_list),
        cmocka_unit_test(a_list_with_one_bad_item_is_none),
    };

    return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
