/* SPDX-License-Identifier: BSD-2-Clause */
/* The address in an ORCPT. */

#include "mail/original_recipient.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *parameter, const char *address)
{
    char found[ADDRESS_MAX + 1];

    assert_int_equal(original_recipient_read(slice_str(parameter), found), address[0] != '\0');
    assert_string_equal(found, address);
}

static void an_address_is_read_in_its_normal_form(void **state)
{
    (void)state;
    expect("rfc822;team@example.net", "team@example.net");
    expect("RFC822;Team@Example.NET", "team@example.net");
    expect("rfc822;team+2Bspring@example.net", "team+spring@example.net");
    expect("utf-8;j\xc3\xbcrgen@example.net", "j\xc3\xbcrgen@example.net");
}

static void what_is_no_address_gives_none(void **state)
{
    char text[1000] = "rfc822;";

    (void)state;
    expect("", "");
    expect("team@example.net", "");
    expect("rfc822;", "");
    expect("rfc822;team", "");
    expect("x400;team@example.net", "");
    expect("rfc822;team+", "");
    expect("rfc822;team+2", "");
    expect("rfc822;team+2x@example.net", "");
    expect("rfc822;team+00@example.net", "");
    memset(text + 7, 'a', sizeof text - 8);
    memcpy(text + sizeof text - 13, "@example.net", 13);
    expect(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_in_its_normal_form),
        cmocka_unit_test(what_is_no_address_gives_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
