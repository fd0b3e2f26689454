/* SPDX-License-Identifier: BSD-2-Clause */
/* what our own server found out about a sender */

#include "mail/auth_results.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static enum auth_results read_two(const char *first, const char *second)
{
    struct header_list headers;
    enum auth_results results;

    header_list_init(&headers);
    header_list_add(&headers, "Authentication-Results", first);
    if (second)
        header_list_add(&headers, "authentication-results", second);
    results = auth_results_read(&headers, "mx.example.com");
    header_list_free(&headers);
    return results;
}

static void only_our_own_field_counts(void **state)
{
    (void)state;
    assert_int_equal(read_two("mx.example.net; dkim=pass", NULL), AUTH_RESULTS_NONE);
    assert_int_equal(read_two("mx.example.com.test; dkim=fail", ""), AUTH_RESULTS_NONE);
    assert_int_equal(read_two("mx.example.net; dmarc=pass", "MX.example.com; dkim=fail"), AUTH_RESULTS_FAIL);
    assert_int_equal(read_two("mx.example.com; none", NULL), AUTH_RESULTS_FAIL);
    assert_int_equal(read_two("", NULL), AUTH_RESULTS_NONE);
}

static void a_pass_is_found(void **state)
{
    (void)state;
    assert_int_equal(read_two("mx.example.com; dkim=fail; spf=pass smtp.mailfrom=a@b", NULL), AUTH_RESULTS_PASS);
    assert_int_equal(read_two("mx.example.com 1;\r\n\tdkim=pass (2048-bit key) header.d=b", NULL), AUTH_RESULTS_PASS);
    assert_int_equal(read_two("mx.example.com; spf=softfail", "mx.example.com; dkim=pass"), AUTH_RESULTS_PASS);
    assert_int_equal(read_two("mx.example.com; spf=fail reason=\"dkim=pass\"", NULL), AUTH_RESULTS_FAIL);
}

static void a_sender_writes_no_pass_of_his_own(void **state)
{
    static const char *const fields[] = {
        "mx.example.com; spf=fail smtp.mailfrom=\"x; dkim=pass\"@b",
        "mx.example.com; spf=fail smtp.mailfrom=\"\\\"; dmarc=pass\"@b",
        "mx.example.com; spf=fail (x; dkim=pass) smtp.mailfrom=a@b",
        "mx.example.com; spf=fail (x (y) \\); dkim=pass) smtp.mailfrom=a@b",
        "mx.example.com; spf=fail smtp.mailfrom=\"x; dkim=pass",
        "mx.example.com; spf=fail (x; dkim=pass\\",
    };

    (void)state;
    for (size_t n = 0; n < sizeof fields / sizeof *fields; n++)
        assert_int_equal(read_two(fields[n], NULL), AUTH_RESULTS_FAIL);
    assert_int_equal(read_two("mx.example.com; dkim=fail (x) header.b=\")\"; spf=pass", NULL), AUTH_RESULTS_PASS);
}

static void dmarc_has_the_last_word(void **state)
{
    (void)state;
    assert_int_equal(read_two("mx.example.com; spf=pass; dmarc=fail", NULL), AUTH_RESULTS_FAIL);
    assert_int_equal(read_two("mx.example.com; dmarc=fail", "mx.example.com; spf=pass"), AUTH_RESULTS_FAIL);
    assert_int_equal(read_two("mx.example.com; dmarc=none; spf=pass", NULL), AUTH_RESULTS_PASS);
    assert_int_equal(read_two("mx.example.com; spf=fail; dmarc=pass", NULL), AUTH_RESULTS_PASS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_our_own_field_counts),
        cmocka_unit_test(a_pass_is_found),
        cmocka_unit_test(a_sender_writes_no_pass_of_his_own),
        cmocka_unit_test(dmarc_has_the_last_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
