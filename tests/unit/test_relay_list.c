/* SPDX-License-Identifier: BSD-2-Clause */
/* lists of relays: good lines, bad lines with their numbers */

#include "ctl/relay_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(struct relay_list *list, enum relay_line kind, size_t line, const char *text)
{
    assert_int_equal(relay_list_next(list), kind);
    assert_int_equal(list->line, line);
    assert_int_equal(list->text.len, strlen(text));
    assert_memory_equal(list->text.p, text, list->text.len);
}

static void networks_and_bad_lines(void **state)
{
    struct relay_list list = {.rest = slice_str("172.224.226.0/27,GB,EN,London,\r\n"
                                                "\n"
                                                "2a02:26f7:b000:4000::/64,US,,,\n"
                                                "prefix,country\n"
                                                "10.0.0.1/8,US,,,\n"
                                                "192.0.2.0/24\n"
                                                "192.0.2.0/24,")};

    (void)state;
    expect(&list, RELAY_NETWORK, 1, "172.224.226.0/27");
    assert_int_equal(list.network.bits, 96 + 27);
    expect(&list, RELAY_NETWORK, 3, "2a02:26f7:b000:4000::/64");
    assert_int_equal(list.network.bits, 64);
    expect(&list, RELAY_BAD, 4, "prefix,country");
    expect(&list, RELAY_BAD, 5, "10.0.0.1/8,US,,,");
    expect(&list, RELAY_BAD, 6, "192.0.2.0/24");
    expect(&list, RELAY_NETWORK, 7, "192.0.2.0/24");
    assert_int_equal(relay_list_next(&list), RELAY_END);
}

static void an_empty_file_has_none(void **state)
{
    struct relay_list list = {.rest = slice_of("", 0)};

    (void)state;
    assert_int_equal(relay_list_next(&list), RELAY_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks_and_bad_lines),
        cmocka_unit_test(an_empty_file_has_none),
    };

    return cmocka_run_group_tests_name("relay_list", tests, NULL, NULL);
}
