/* SPDX-License-Identifier: BSD-2-Clause */
/* who has too many connections */

#include "pixeld/crowd.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct sockaddr *address_of(const char *text)
{
    static union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;

    memset(&address, 0, sizeof address);
    address.v4.sin_family = AF_INET;
    if (inet_pton(AF_INET, text, &address.v4.sin_addr) != 1) {
        address.v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &address.v6.sin6_addr), 1);
    }
    return &address.any;
}

static void each_client_has_its_own_room(void **state)
{
    struct crowd *crowd = crowd_new(2, NULL);

    (void)state;
    assert_true(crowd_enter(crowd, address_of("192.0.2.1")));
    assert_true(crowd_enter(crowd, address_of("::ffff:192.0.2.1")));
    assert_false(crowd_enter(crowd, address_of("192.0.2.1")));
    assert_true(crowd_enter(crowd, address_of("192.0.2.2")));
    crowd_leave(crowd, address_of("192.0.2.1"));
    assert_false(crowd_enter(crowd, address_of("192.0.2.1"))); /* the refused one counts until it has left */
    crowd_leave(crowd, address_of("192.0.2.1"));
    crowd_leave(crowd, address_of("192.0.2.1"));
    assert_true(crowd_enter(crowd, address_of("192.0.2.1")));
    crowd_free(crowd);
}

static void a_household_of_ipv6_is_one_client(void **state)
{
    struct crowd *crowd = crowd_new(2, NULL);

    (void)state;
    assert_true(crowd_enter(crowd, address_of("2001:db8:1:2::1")));
    assert_true(crowd_enter(crowd, address_of("2001:db8:1:2:ffff::9")));
    assert_false(crowd_enter(crowd, address_of("2001:db8:1:2:3:4:5:6")));
    assert_true(crowd_enter(crowd, address_of("2001:db8:1:3::1")));
    crowd_free(crowd);
}

static void trusted_networks_have_no_limit(void **state)
{
    char ten[] = "10.0.0.0/8";
    char *texts[] = {ten};
    struct network_list exempt;
    struct crowd *crowd;

    (void)state;
    assert_true(network_list_parse(&exempt, texts, 1));
    crowd = crowd_new(1, &exempt);
    for (int n = 0; n < 10; n++)
        assert_true(crowd_enter(crowd, address_of("10.1.2.3")));
    assert_true(crowd_enter(crowd, address_of("192.0.2.1")));
    assert_false(crowd_enter(crowd, address_of("192.0.2.1")));
    crowd_leave(crowd, address_of("10.1.2.3"));
    crowd_free(crowd);
    network_list_free(&exempt);
}

static void many_clients_come_and_go(void **state)
{
    struct crowd *crowd = crowd_new(1, NULL);
    struct sockaddr_in client = {.sin_family = AF_INET};

    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned n = 0; n < 20000; n++) {
            client.sin_addr.s_addr = htonl(0x0b000000 + n);
            assert_true(crowd_enter(crowd, (const struct sockaddr *)&client));
        }
        for (unsigned n = 0; n < 20000; n++) {
            client.sin_addr.s_addr = htonl(0x0b000000 + n);
            crowd_leave(crowd, (const struct sockaddr *)&client);
        }
    }
    crowd_free(crowd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_client_has_its_own_room),
        cmocka_unit_test(a_household_of_ipv6_is_one_client),
        cmocka_unit_test(trusted_networks_have_no_limit),
        cmocka_unit_test(many_clients_come_and_go),
    };

    return cmocka_run_group_tests_name("crowd", tests, NULL, NULL);
}
