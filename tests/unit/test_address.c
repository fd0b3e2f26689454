/* SPDX-License-Identifier: BSD-2-Clause */
/* addresses: spellings that are equal become equal, what is none is refused */

#include "common/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct row {
    const char *in;
    const char *out; /* NULL: no address */
};

static void check(const struct row *rows, size_t count, bool (*normalize)(struct slice, struct buf *))
{
    struct buf out;

    buf_init(&out, 1000);
    for (size_t n = 0; n < count; n++) {
        bool made = normalize(slice_str(rows[n].in), &out);

        if (made != (rows[n].out != NULL) || strcmp(buf_text(&out), made ? rows[n].out : "") != 0)
            fail_msg("%s became \"%s\"", rows[n].in, buf_text(&out));
    }
    buf_free(&out);
}

static void addresses(void **state)
{
    static const struct row rows[] = {
        {"anna@example.com", "anna@example.com"},
        {" <Anna.Lind+Tag@Example.COM.> ", "anna.lind+tag@example.com"},
        {"<@a.example,@b.example:anna@example.com>", "anna@example.com"},
        {"\"anna\"@example.com", "anna@example.com"},
        {"\"a\\nna\"@example.com", "anna@example.com"},
        {"\"anna lind\"@example.com", "\"anna lind\"@example.com"},
        {"\"a@b\"@example.com", "\"a@b\"@example.com"},
        {"\"a\\\"\\\\b\"@example.com", "\"a\\\"\\\\b\"@example.com"},
        {"\"\"@example.com", "\"\"@example.com"},
        {"\"a..b\"@example.com", "a..b@example.com"},
        {"a..b.@docomo.example", "a..b.@docomo.example"},
        {"anna@b\xc3\xbc" "cher.example", "anna@xn--bcher-kva.example"},
        {"anna@B\xc3\x9c" "CHER.example", "anna@xn--bcher-kva.example"},
        {"anna@XN--bcher-kva.example", "anna@xn--bcher-kva.example"},
        {"j\xc3\xb6rg@example.com", "j\xc3\xb6rg@example.com"},
        {"anna@[192.0.2.1]", "anna@[192.0.2.1]"},
        {"anna@[IPv6:2001:DB8::1]", "anna@[ipv6:2001:db8::1]"},
        {"anna@localhost", "anna@localhost"},
        {"", NULL},
        {"<>", NULL},
        {"anna", NULL},
        {"@", NULL},
        {"@example.com", NULL},
        {"anna@", NULL},
        {"<anna@.>", NULL},
        {"anna@ex ample.com", NULL},
        {"anna@example..com", NULL},
        {"anna@-example.com", NULL},
        {"anna lind@example.com", NULL},
        {"Anna <anna@example.com>", NULL},
        {"\"anna@example.com", NULL},
        {"\"an\"na\"@example.com", NULL},
        {"\"anna\\\"@example.com", NULL},
        {"an\x01na@example.com", NULL},
        {"anna@[192.0.2.1", NULL},
        {"anna@[]", NULL},
        {"anna@\xff\xfe.example", NULL},
    };

    (void)state;
    check(rows, sizeof rows / sizeof *rows, address_normalize);
}

static void domains(void **state)
{
    static const struct row rows[] = {
        {"Example.COM", "example.com"},
        {"example.com.", "example.com"},
        {"stra\xc3\x9f" "e.example", "xn--strae-oqa.example"},
        {"_dmarc.example.com", "_dmarc.example.com"},
        {"", NULL},
        {".", NULL},
        {"a..b", NULL},
        {"a b", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example", NULL},
    };

    (void)state;
    check(rows, sizeof rows / sizeof *rows, address_domain_normalize);
}

static void too_long_is_no_address(void **state)
{
    char text[400];
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    memset(text, 'a', sizeof text);
    memcpy(text + 300, "@example.com", 12);
    assert_true(address_normalize(slice_of(text, 312), &out));
    memset(text, 'a', sizeof text);
    memcpy(text + 310, "@example.com", 12);
    assert_false(address_normalize(slice_of(text, 322), &out));
    assert_int_equal(out.len, 0);
    assert_false(address_normalize(slice_of("a@b\0c.example", 13), &out));
    buf_free(&out);
}

static void the_domain_stands_behind_the_last_at(void **state)
{
    (void)state;
    assert_true(slice_is(address_domain(slice_str("\"a@b\"@example.com")), "example.com"));
    assert_true(slice_empty(address_domain(slice_str("anna"))));
    assert_true(slice_empty(address_domain(slice_str(""))));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses),
        cmocka_unit_test(domains),
        cmocka_unit_test(too_long_is_no_address),
        cmocka_unit_test(the_domain_stands_behind_the_last_at),
    };

    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
