/* SPDX-License-Identifier: BSD-2-Clause */
/* which mail gets a blind copy for a CRM, and to which address */

#include "mail/crm_bcc.h"

#include "common/conf_form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char *const entries[] = {(char *)(uintptr_t)"all@crm.example", (char *)(uintptr_t)"example.com house@crm.example",
                                (char *)(uintptr_t)"alice@example.com alice@crm.example"};
static char *const domains[] = {(char *)(uintptr_t)"example.com"};

static void the_most_exact_entry_counts(void **state)
{
    static const struct {
        const char *owner, *sender, *recipient;
        size_t entries;
        const char *expected; /* NULL: none */
    } rows[] = {
        {"alice@example.com", "alice@example.com", "bob@there.test", 3, "alice@crm.example"},
        {"bob@example.com", "alice@example.com", "bob@there.test", 3, "alice@crm.example"},
        {"bob@example.com", "bob@example.com", "bob@there.test", 3, "house@crm.example"},
        {"bob@example.net", "bob@example.net", "bob@there.test", 3, "all@crm.example"},
        {"alice@example.com", "alice@example.com", "bob@there.test", 1, "all@crm.example"},
        {"alice@example.com", "alice@example.com", "bob@there.test", 0, NULL},
        {"alice@example.com", "alice@example.com", "<Alice@CRM.example>", 3, NULL},
        {"alice@example.com", "alice@example.com", "Carol@Example.com", 3, NULL},
    };
    struct conf conf = {.local_domains = {(char **)(uintptr_t)domains, 1}};

    (void)state;
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        struct slice recipient = slice_str(rows[n].recipient);
        struct crm_bcc_mail mail = {slice_str(rows[n].owner), slice_str(rows[n].sender), &recipient, 1};
        char address[ADDRESS_MAX + 1] = "";

        conf.stamp.crm_bcc = (struct conf_list){(char **)(uintptr_t)entries, rows[n].entries};
        assert_int_equal(crm_bcc_choose(&conf, &mail, address), rows[n].expected != NULL);
        if (rows[n].expected)
            assert_string_equal(address, rows[n].expected);
    }
}

static void mail_in_the_house_only_when_asked(void **state)
{
    struct slice recipients[] = {slice_str("carol@example.com"), slice_str("dave@example.com")};
    struct crm_bcc_mail mail = {slice_str("a@example.com"), slice_str("a@example.com"), recipients, 2};
    struct conf conf = {.local_domains = {(char **)(uintptr_t)domains, 1},
                        .stamp.crm_bcc = {(char **)(uintptr_t)entries, 3}};
    char address[ADDRESS_MAX + 1];

    (void)state;
    assert_false(crm_bcc_choose(&conf, &mail, address));
    conf.stamp.crm_bcc_local = true;
    assert_true(crm_bcc_choose(&conf, &mail, address));
    conf.stamp.crm_bcc_local = false;
    recipients[1] = slice_str("eve@there.test");
    assert_true(crm_bcc_choose(&conf, &mail, address));
    assert_true(crm_bcc_is(&conf, slice_str("HOUSE@crm.example")) && crm_bcc_is(&conf, slice_str("all@crm.example")));
    assert_false(crm_bcc_is(&conf, slice_str("a@example.com")) || crm_bcc_is(&conf, slice_str("")));
}

static void entries_have_a_form(void **state)
{
    static const char *const bad[] = {"", "nobody", "a b", "a@b.example c", "a@b.example c@d.example e@f.example"};
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_true(conf_form_crm_bcc(slice_str(" Example.COM  X@Y.example "), &out));
    assert_string_equal(buf_text(&out), "example.com x@y.example");
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        buf_reset(&out);
        if (conf_form_crm_bcc(slice_str(bad[n]), &out))
            fail_msg("took: %s", bad[n]);
    }
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_most_exact_entry_counts), cmocka_unit_test(mail_in_the_house_only_when_asked),
                                       cmocka_unit_test(entries_have_a_form)};

    return cmocka_run_group_tests_name("crm_bcc", tests, NULL, NULL);
}
