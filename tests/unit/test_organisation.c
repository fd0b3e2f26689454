/* SPDX-License-Identifier: BSD-2-Clause */
/* which domains belong together, and what spoor.conf may not say about it */

#include "common/conf.h"
#include "common/organisation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct conf *load(const char *groups, struct buf *error)
{
    char path[] = "/tmp/test_organisation.XXXXXX";
    int descriptor = mkstemp(path);
    struct conf *conf;

    assert_true(descriptor >= 0);
    dprintf(descriptor, "local_domains = { example.com, example.net, third.example, \"b\xc3\xbc" "cher.example\" }\n%s", groups);
    close(descriptor);
    conf = conf_load(path, CONF_ANY, error);
    unlink(path);
    return conf;
}

static void domains_of_a_group_belong_together(void **state)
{
    static const char two[] = "organisation = { \"Example.COM  example.net\", \"third.example b\xc3\xbc" "cher.example\" }\n";
    static const char one[] = "organisation = \"example.com third.example\"\n";
    static const struct {
        const char *groups, *domain, *other;
        bool together;
    } cases[] = {
        {"", "example.com", "EXAMPLE.com", true},
        {"", "example.com", "example.net", false},
        {"", "elsewhere.example", "elsewhere.example", false},
        {one, "example.com", "third.example", true},
        {one, "example.com", "example.net", false},
        {one, "example.net", "example.com", false},
        {one, "example.net", "example.net", true},
        {two, "example.net", "example.com", true},
        {two, "third.example", "xn--bcher-kva.example", true},
        {two, "third.example", "example.com", false},
        {two, "sub.example.com", "example.com", false},
        {two, "", "", false},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct conf *conf;
        struct buf error;

        buf_init(&error, 1000);
        conf = load(cases[n].groups, &error);
        if (!conf)
            fail_msg("%s", buf_text(&error));
        if (organisation_has_both(&conf->organisation, &conf->local_domains, slice_str(cases[n].domain),
                                  slice_str(cases[n].other)) != cases[n].together)
            fail_msg("case %zu", n);
        conf_free(conf);
        buf_free(&error);
    }
}

static void what_makes_no_sense_is_refused(void **state)
{
    static const struct {
        const char *groups, *error;
    } cases[] = {
        {"organisation = { \"example.com\",\n\"example.net other.example\" }\n",
         ":3: organisation names other.example, which is not in local_domains"},
        {"organisation = { \"example.com example.net\", \"third.example example.com\" }\n",
         ":2: organisation has example.com in two groups"},
        {"organisation = \"\"\n", ":2: "},
        {"organisation = \"example.com, example.net\"\n", ":2: "},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct buf error;

        buf_init(&error, 1000);
        assert_null(load(cases[n].groups, &error));
        if (slice_find_i(buf_slice(&error), cases[n].error) == (size_t)-1)
            fail_msg("case %zu: %s", n, buf_text(&error));
        buf_free(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(domains_of_a_group_belong_together),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
