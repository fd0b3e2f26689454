/* SPDX-License-Identifier: BSD-2-Clause */
/* policy: lines, what holds together for an address, files, campaigns */

#include "common/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ALL                                                                    \
    "policy\tsender\tann@example.com\t\t\tfalse\t\t*.pdf  Report*.docx\t1000\n" \
    "policy\tsender\texample.com\taggregate\t\t\t\t\t\n"                       \
    "policy\trecipient\tbob@example.net\toff\t\t\t\t\t\n"                      \
    "policy\trecipient\texample.org\t\tfalse\t\tfalse\t\t\n"                   \
    "campaign\texample.com\tautumn\tSubject\t*offer*\n"                        \
    "campaign\texample.com\tspring\tSubject\t*spring*offer*\n"                 \
    "campaign\tann+tag@example.com\ttagged\tSubject\t*\n"                      \
    "campaign\t*\ttool\tX-Tool\tmailer 2\n"                                  \
    "login\tzoe\tzoe.z@example.com\n"                                         \
    "login\tann\tann@example.com\n"                                           \
    "login\told@example.com\tann@example.com\n"

static void count_line(void *arg, const char *line)
{
    ++*(size_t *)arg;
    print_message("%s\n", line);
}

static struct policy *parsed(const char *text, size_t bad)
{
    size_t complaints = 0;
    struct policy *policy = policy_parse(slice_str(text), count_line, &complaints);

    assert_non_null(policy);
    assert_int_equal(complaints, bad);
    return policy;
}

static struct policy_limits limits_for(const struct policy *policy, enum policy_side side, const char *address)
{
    struct policy_limits limits = {.level = LEVEL_INDIVIDUAL, .views = true, .links = true, .documents = true};

    policy_limit(policy, side, slice_str(address), &limits);
    return limits;
}

static void the_most_restrictive_holds(void **state)
{
    static const struct {
        enum policy_side side;
        const char *address;
        enum tracking_level level;
        bool views, links, documents;
    } rows[] = {
        {POLICY_SENDER, "ann@example.com", LEVEL_AGGREGATE, true, false, true},
        {POLICY_SENDER, "cy@example.com", LEVEL_AGGREGATE, true, true, true},
        {POLICY_SENDER, "ann@sub.example.com", LEVEL_INDIVIDUAL, true, true, true},
        {POLICY_SENDER, "bob@example.net", LEVEL_INDIVIDUAL, true, true, true},
        {POLICY_RECIPIENT, "bob@example.net", LEVEL_OFF, true, true, true},
        {POLICY_RECIPIENT, "bobby@example.net", LEVEL_INDIVIDUAL, true, true, true},
        {POLICY_RECIPIENT, "dan@example.org", LEVEL_INDIVIDUAL, false, true, false},
        {POLICY_RECIPIENT, "", LEVEL_INDIVIDUAL, true, true, true},
    };
    struct policy *policy = parsed(ALL, 0);

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct policy_limits limits = limits_for(policy, rows[row].side, rows[row].address);

        print_message("row %zu\n", row);
        assert_int_equal(limits.level, rows[row].level);
        assert_int_equal(limits.views, rows[row].views);
        assert_int_equal(limits.links, rows[row].links);
        assert_int_equal(limits.documents, rows[row].documents);
        assert_int_equal(limits.whom.len, rows[row].level < LEVEL_INDIVIDUAL ? strlen(rows[row].address) : 0);
    }
    assert_true(policy_has_recipients(policy));
    assert_int_equal(policy_size(policy).people, 4);
    assert_int_equal(policy_size(policy).campaigns, 4);
    policy_let_go(policy);
}

static void everybody_is_a_star(void **state)
{
    struct policy *policy = parsed("policy\tsender\t*\taggregate\t\t\t\t\t\n", 0);

    (void)state;
    assert_int_equal(limits_for(policy, POLICY_SENDER, "a@example.org").level, LEVEL_AGGREGATE);
    assert_int_equal(limits_for(policy, POLICY_RECIPIENT, "a@example.org").level, LEVEL_INDIVIDUAL);
    assert_false(policy_has_recipients(policy));
    policy_let_go(policy);
    assert_int_equal(limits_for(NULL, POLICY_SENDER, "a@example.org").level, LEVEL_INDIVIDUAL);
    assert_false(policy_has_recipients(NULL));
    policy_let_go(NULL);
}

static void a_bad_line_is_named_and_left_out(void **state)
{
    static const char text[] =
        "policy\tsomebody\ta@example.com\toff\t\t\t\t\t\n"
        "policy\tsender\t\toff\t\t\t\t\t\n"
        "policy\tsender\n"
        "campaign\ta@example.com\tspring\tSubject\n"
        "campaign\ta@example.com\t\tSubject\t*\n"
        "something else\n"
        "\n"
        "policy\tsender\tb@example.com\toff\t\t\t\t\t";
    struct policy *policy = parsed(text, 6);

    (void)state;
    assert_int_equal(limits_for(policy, POLICY_SENDER, "a@example.com").level, LEVEL_INDIVIDUAL);
    assert_int_equal(limits_for(policy, POLICY_SENDER, "b@example.com").level, LEVEL_OFF);
    policy_let_go(policy);
}

/* A newer database may say of somebody what is not known here. */
static void who_is_spoken_of_in_unknown_words_is_off(void **state)
{
    static const char *const lines[] = {
        "policy\trecipient\ta@example.com\tall\t\t\t\t\t",
        "policy\trecipient\ta@example.com\tindividual\t\t\t\t\t\textra",
        "policy\trecipient\ta@example.com\t\tno\t\t\t\t",
        "policy\trecipient\ta@example.com\t\t\t\t\t*\t12x",
        "policy\trecipient\ta@example.com",
        "policy\trecipient\texample.com\tpseudonymous\t\t\t\t\t",
    };

    (void)state;
    for (size_t row = 0; row < sizeof lines / sizeof *lines; row++) {
        struct policy *policy = parsed(lines[row], 1);

        assert_int_equal(limits_for(policy, POLICY_RECIPIENT, "a@example.com").level, LEVEL_OFF);
        assert_int_equal(limits_for(policy, POLICY_SENDER, "a@example.com").level, LEVEL_INDIVIDUAL);
        assert_int_equal(limits_for(policy, POLICY_RECIPIENT, "b@example.net").level, LEVEL_INDIVIDUAL);
        assert_true(policy_has_recipients(policy));
        policy_let_go(policy);
    }
}

static void files_are_told_by_name_and_size(void **state)
{
    static const struct {
        const char *sender, *name;
        uint64_t bytes;
        bool wanted;
    } rows[] = {
        {"ann@example.com", "offer.pdf", 1000, true},
        {"ann@example.com", "OFFER.PDF", 1000, true},
        {"ann@example.com", "offer.pdf", 999, false},
        {"ann@example.com", "offer.pdf.zip", 1000, false},
        {"ann@example.com", "report of May.docx", 5000, true},
        {"ann@example.com", "letter.docx", 5000, false},
        {"ann@example.com", "", 5000, false},
        {"cy@example.com", "offer.pdf", 1000, false},
    };
    struct policy *policy = parsed(ALL, 0);

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        print_message("row %zu\n", row);
        assert_int_equal(policy_wants_file(policy, POLICY_SENDER, slice_str(rows[row].sender), slice_str(rows[row].name),
                                           rows[row].bytes), rows[row].wanted);
    }
    policy_let_go(policy);
}

struct mail {
    const char *subject, *tool;
};

static struct slice value_of(void *arg, struct slice header)
{
    const struct mail *mail = arg;

    return slice_str(slice_is_i(header, "Subject") ? mail->subject : slice_is_i(header, "X-Tool") ? mail->tool : "");
}

static void mail_joins_a_campaign(void **state)
{
    static const struct {
        const char *sender, *subject, *tool, *campaign;
    } rows[] = {
        {"ann@example.com", "Our Spring Offer for you", "", "spring"}, /* the longer pattern */
        {"ann@example.com", "Our offer", "", "autumn"},
        {"ann@example.com", "Lunch?", "", ""},
        {"ann+tag@example.com", "Our offer", "", "tagged"}, /* the address before its domain */
        {"ann+tag@example.com", "", "", "tagged"},
        {"eve@example.org", "Our offer", "Mailer 2", "tool"},
        {"eve@example.org", "Our offer", "Mailer 22", ""},
        {"", "Our offer", "Mailer 2", "tool"},
    };
    struct policy *policy = parsed(ALL, 0);

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct mail mail = {rows[row].subject, rows[row].tool};
        struct slice campaign = policy_campaign(policy, slice_str(rows[row].sender), value_of, &mail);

        print_message("row %zu\n", row);
        assert_true(slice_is(campaign, rows[row].campaign));
    }
    policy_let_go(policy);
}

/* What an attacker writes into a subject must not take long. */
static void many_stars_end_soon(void **state)
{
    struct policy *policy = parsed("campaign\t*\tslow\tSubject\t*a*a*a*a*a*a*a*a*a*a*a*a*b\n", 0);
    char subject[2001];
    struct mail mail = {subject, ""};

    (void)state;
    memset(subject, 'a', sizeof subject - 1);
    subject[sizeof subject - 1] = '\0';
    assert_int_equal(policy_campaign(policy, slice_str("a@example.com"), value_of, &mail).len, 0);
    policy_let_go(policy);
}

static void a_login_has_an_owner(void **state)
{
    static const struct {
        const char *login, *owner;
    } rows[] = {
        {"ann", "ann@example.com"},  {"Ann", "ann@example.com"}, {"zoe", "zoe.z@example.com"}, {"OLD@example.com", "ann@example.com"},
        {"ann@example.com", ""},     {"an", ""},                 {"annn", ""},                 {"", ""},
    };
    struct policy *policy = parsed(ALL, 0), *nothing = parsed("", 0);

    (void)state;
    assert_int_equal(policy_size(policy).logins, 3);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        print_message("row %zu\n", row);
        assert_true(slice_is(policy_owner(policy, slice_str(rows[row].login)), rows[row].owner));
        assert_int_equal(policy_owner(nothing, slice_str(rows[row].login)).len, 0);
    }
    assert_int_equal(policy_owner(NULL, slice_str("ann")).len, 0);
    policy_let_go(nothing);
    policy_let_go(policy_hold(policy));
    policy_let_go(policy);
    policy_let_go(parsed("login\t\tann@example.com\nlogin\tann\t\nlogin\tann\tann\nlogin\tann\n", 4));
}

static void what_cannot_be_known_is_told_from_nothing_said(void **state)
{
    struct policy *policy = policy_unknown(), *nothing = parsed("", 0);

    (void)state;
    assert_false(policy_is_known(policy));
    assert_true(policy_is_known(nothing));
    assert_true(policy_is_known(NULL));
    policy_let_go(nothing);
    policy_let_go(policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_most_restrictive_holds),
        cmocka_unit_test(everybody_is_a_star),
        cmocka_unit_test(a_bad_line_is_named_and_left_out),
        cmocka_unit_test(who_is_spoken_of_in_unknown_words_is_off),
        cmocka_unit_test(files_are_told_by_name_and_size),
        cmocka_unit_test(mail_joins_a_campaign),
        cmocka_unit_test(many_stars_end_soon),
        cmocka_unit_test(a_login_has_an_owner),
        cmocka_unit_test(what_cannot_be_known_is_told_from_nothing_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
