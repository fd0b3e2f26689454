/* SPDX-License-Identifier: BSD-2-Clause */
/* the two passes of an outgoing mail: what the first leaves to the second, and what that makes of it */

#include "common/message_id.h"
#include "common/token.h"
#include "mail/msgid.h"
#include "mail/pass.h"
#include "mail/tracking.h"
#include "tests/unit/outgoing_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

#define HTML                                                                                                          \
    "<html><body><p><a href=\"https://a.example.org/\">a</a> <a href=\"https://b.example.org/\">b</a>"                \
    " <a href=\"https://a.example.org/\">a again</a></p></body></html>\r\n"
#define HEADERS                                                                                                       \
    "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nMIME-Version: 1.0\r\n"                                     \
    "Content-Type: text/html; charset=utf-8\r\n"
enum { NOW = 1790000000, LINKS_MOST = 10 };

static struct keys *keys;
static struct conf conf;
static struct policy *policy;
static const struct slice people[] = {SLICE_TEXT("bob@example.net"), SLICE_TEXT("cy@example.org"), SLICE_TEXT("dan@example.com")};

static struct outgoing_settings settings(void)
{
    return (struct outgoing_settings){.conf = &conf, .keys = keys, .number = outgoing_number, .policy = policy,
                                      .has_second_pass = true, .now_s = NOW};
}

static struct outgoing_mail mail_to(const struct slice *recipient, size_t recipients)
{
    return (struct outgoing_mail){
        .body = slice_str(HTML),
        .envelope_sender = slice_str("ann@example.com"),
        .recipient = recipient,
        .recipients = recipients,
        .from_submit_network = true,
    };
}

static void parse(struct outgoing_run *run, const char *header, struct outgoing_mail *mail)
{
    header_list_init(&run->headers);
    header_parse(slice_str(header), &run->headers);
    mail->headers = &run->headers;
}

static void first_pass(struct outgoing_run *run, const char *header, struct outgoing_mail mail)
{
    struct outgoing_settings the_settings = settings();

    parse(run, header, &mail);
    outgoing_plan_make(&mail, &the_settings, &run->plan);
}

static void second_pass(struct outgoing_run *run, const char *header, struct outgoing_mail mail)
{
    struct outgoing_settings the_settings = settings();

    parse(run, header, &mail);
    outgoing_copy_plan(&mail, &the_settings, &run->plan);
}

static const char *added(const struct outgoing_plan *plan, const char *name)
{
    for (size_t at = 0; at < plan->edits; at++)
        if (plan->edit[at].value && strcasecmp(plan->edit[at].name, name) == 0)
            return plan->edit[at].value;
    return NULL;
}

static size_t removals(const struct outgoing_plan *plan, const char *name)
{
    size_t found = 0;

    for (size_t at = 0; at < plan->edits; at++)
        found += !plan->edit[at].value && strcasecmp(plan->edit[at].name, name) == 0;
    return found;
}

/* The header of a copy of a mail to COUNT people, with what WISH asks for. */
static const char *between(const char *wish, size_t count)
{
    static char text[4000];
    char header[1000];
    struct outgoing_run run;

    snprintf(header, sizeof header, HEADERS "%s\r\n", wish);
    first_pass(&run, header, mail_to(people, count));
    assert_true(run.plan.tracked && run.plan.passed_on);
    assert_false(run.plan.rewrite.changed);
    snprintf(text, sizeof text, HEADERS "Message-ID: %s\r\n" PASS_HEADER ": %s\r\n\r\n", added(&run.plan, "Message-ID"),
             added(&run.plan, PASS_HEADER));
    outgoing_run_free(&run);
    return text;
}

/* The tokens of our URLs in a new body, in their order. */
static size_t tokens_in(const struct outgoing_plan *plan, struct token token[LINKS_MOST])
{
    struct slice rest = buf_slice(&plan->rewrite.body);
    size_t found = 0, at;

    while (found < LINKS_MOST && (at = slice_find_i(rest, "https://t.example.com/")) != (size_t)-1) {
        size_t len = 0;

        rest = slice_from(rest, at);
        while (len < rest.len && rest.p[len] != '"')
            len++;
        assert_int_equal(tracking_verify_url(keys, conf.tracking_url, slice_of(rest.p, len), &token[found++], NULL), TOKEN_GOOD);
        rest = slice_from(rest, len);
    }
    return found;
}

static void the_first_pass_records_and_leaves_the_body(void **state)
{
    struct outgoing_run run;
    struct buf summary;

    (void)state;
    first_pass(&run, HEADERS PASS_HEADER ": old\r\n" PASS_HEADER ": older\r\n\r\n", mail_to(people, 3));
    assert_false(run.plan.rewrite.changed);
    assert_int_equal(run.plan.rewrite.body.len, 0);
    assert_int_equal(run.plan.record.recipients, 3);
    assert_int_equal(run.plan.record.links, 2);
    assert_int_equal(run.plan.record.pixels, 1);
    assert_int_equal(removals(&run.plan, PASS_HEADER), 2);
    assert_non_null(added(&run.plan, PASS_HEADER));
    buf_init(&summary, 100);
    outgoing_plan_summary(&run.plan, &summary);
    assert_string_equal(buf_text(&summary), "id,anchor,pass");
    buf_free(&summary);
    outgoing_run_free(&run);
}

/* The second pass gets what the first made of the envelope sender. */
static void all_copies_share_one_return_path(void **state)
{
    struct outgoing_mail mail = mail_to(people, 3);
    struct buf summary, path;
    struct outgoing_run run;

    (void)state;
    conf.stamp.bounce_address = (char *)"bounces+{token}@example.com";
    buf_init(&summary, 100);
    buf_init(&path, 300);
    first_pass(&run, HEADERS "\r\n", mail);
    outgoing_plan_summary(&run.plan, &summary);
    assert_string_equal(buf_text(&summary), "id,anchor,return_path,pass");
    buf_add_str(&path, run.plan.return_path);
    outgoing_run_free(&run);
    mail = mail_to(people + 1, 1);
    mail.envelope_sender = buf_slice(&path);
    second_pass(&run, between("", 3), mail);
    assert_null(run.plan.return_path);
    assert_true(run.plan.rewrite.changed);
    outgoing_run_free(&run);
    conf.stamp.bounce_address = (char *)"";
    buf_free(&summary);
    buf_free(&path);
}

static void a_brought_pass_goes_from_any_mail(void **state)
{
    struct outgoing_mail strange = mail_to(people, 1);
    struct buf header;
    struct outgoing_run run;

    (void)state;
    buf_init(&header, 20000);
    buf_add_str(&header, HEADERS);
    for (int n = 0; n < 300; n++)
        buf_add_str(&header, PASS_HEADER ": x\r\n");
    strange.from_submit_network = false;
    first_pass(&run, buf_text(&header), strange);
    buf_free(&header);
    assert_string_equal(run.plan.reason, "not_submitted");
    assert_int_equal(removals(&run.plan, PASS_HEADER), 300);
    assert_int_equal(run.plan.controls, 300);
    assert_null(added(&run.plan, PASS_HEADER));
    outgoing_run_free(&run);
    first_pass(&run, HEADERS PASS_HEADER ": x\r\nX-Spoor-Track: off\r\n\r\n", mail_to(people, 1));
    assert_int_equal(run.plan.controls, 2);
    assert_int_equal(run.plan.edits, 2);
    outgoing_run_free(&run);
}

static void without_copies_one_pass_does_all(void **state)
{
    struct outgoing_run run;

    (void)state;
    conf.stamp.copies = false;
    first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
    assert_true(run.plan.rewrite.changed);
    assert_null(added(&run.plan, PASS_HEADER));
    conf.stamp.copies = true;
    outgoing_run_free(&run);
}

static void each_copy_has_tokens_of_its_own_and_the_same_links(void **state)
{
    const char *header = between("", 2);
    struct token token[2][LINKS_MOST];

    (void)state;
    for (size_t at = 0; at < 2; at++) {
        struct outgoing_run run;

        second_pass(&run, header, mail_to(&people[at], 1));
        assert_true(run.plan.tracked && run.plan.rewrite.changed);
        assert_null(run.plan.reason);
        assert_int_equal(run.plan.edits, 1);
        assert_int_equal(removals(&run.plan, PASS_HEADER), 1);
        assert_int_equal(run.plan.record.recipients, 1);
        assert_true(slice_eq(run.plan.record.recipient[0].address, people[at]));
        assert_true(slice_is(run.plan.record.owner, "ann@example.com"));
        assert_int_equal(tokens_in(&run.plan, token[at]), 4);
        for (size_t url = 0; url < 4; url++) {
            assert_int_equal(token[at][url].recipient, keys_recipient(keys, people[at]));
            assert_true(token[at][url].message == message_id_compose(1790000000000, 3, 4));
            assert_int_equal(token[at][url].index, token[0][url].index);
        }
        outgoing_run_free(&run);
    }
    assert_int_equal(token[0][0].index, token[0][2].index);
    assert_int_not_equal(token[0][0].index, token[0][1].index);
}

static void each_copy_has_a_decoy_of_its_own(void **state)
{
    const char *header;
    struct token token[LINKS_MOST];

    (void)state;
    conf.stamp.decoy_link = true;
    header = between("", 2);
    for (size_t at = 0; at < 2; at++) {
        struct outgoing_run run;

        second_pass(&run, header, mail_to(&people[at], 1));
        assert_int_equal(tokens_in(&run.plan, token), 5);
        assert_int_equal(token[3].index, TOKEN_DECOY_INDEX);
        assert_int_equal(token[3].recipient, keys_recipient(keys, people[at]));
        outgoing_run_free(&run);
    }
    conf.stamp.decoy_link = false;
}

static void several_at_once_are_one_of_these(void **state)
{
    struct token token[LINKS_MOST];
    struct outgoing_run run;

    (void)state;
    second_pass(&run, between("", 2), mail_to(people, 2));
    assert_int_equal(tokens_in(&run.plan, token), 4);
    assert_int_equal(token[0].recipient, 0);
    assert_int_equal(run.plan.record.recipients, 2);
    outgoing_run_free(&run);
}

static void a_colleague_gets_a_clean_copy(void **state)
{
    struct outgoing_run run;
    struct buf summary;

    (void)state;
    second_pass(&run, between("", 3), mail_to(&people[2], 1));
    assert_false(run.plan.rewrite.changed);
    assert_string_equal(run.plan.reason, "local_recipients");
    assert_int_equal(run.plan.record.recipients, 1);
    assert_int_equal(removals(&run.plan, PASS_HEADER), 1);
    buf_init(&summary, 100);
    outgoing_plan_summary(&run.plan, &summary);
    assert_string_equal(buf_text(&summary), "-");
    buf_free(&summary);
    outgoing_run_free(&run);
}

static void wishes_hold_in_the_second_pass(void **state)
{
    static const struct {
        const char *wish;
        unsigned pixels, links;
        size_t recipients;
    } rows[] = {
        {"X-Spoor-Track: no-views\r\n", 0, 3, 1},
        {"X-Spoor-Track: no-links\r\n", 1, 0, 1},
        {"X-Spoor-Track: aggregate\r\n", 1, 3, 0},
        {"X-MC-Track: none\r\n", 0, 0, 1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct token token[LINKS_MOST];
        struct outgoing_run run;

        print_message("row %zu\n", row);
        second_pass(&run, between(rows[row].wish, 2), mail_to(people, 1));
        assert_int_equal(run.plan.rewrite.pixels, rows[row].pixels);
        assert_int_equal(run.plan.rewrite.wrapped, rows[row].links);
        assert_int_equal(run.plan.record.recipients, rows[row].recipients);
        for (size_t at = tokens_in(&run.plan, token); at-- > 0;)
            assert_int_equal(token[at].aggregate, rows[row].recipients == 0);
        outgoing_run_free(&run);
    }
}

static void what_is_not_believed_changes_nothing(void **state)
{
    char twice[4000], other[4000];
    const char *good = between("", 2), *id = strstr(good, "Message-ID: <"), *pass = strstr(good, PASS_HEADER);
    const struct {
        const char *header;
        const char *reason;
        size_t edits;
    } rows[] = {
        {HEADERS "\r\n", "no_pass", 0},
        {HEADERS "Message-ID: <a@example.com>\r\n" PASS_HEADER ": v=1\r\n\r\n", "forged_pass", 1},
        {HEADERS PASS_HEADER ": v=1\r\n\r\n", "forged_pass", 1},
        {twice, "forged_pass", 2},
        {other, "forged_pass", 1},
    };

    (void)state;
    snprintf(twice, sizeof twice, "%.*s%.*s%s", (int)(pass - good), good, (int)strlen(pass) - 2, pass, pass);
    snprintf(other, sizeof other, "%.*sMessage-ID: <x%s", (int)(id - good), good, id + strlen("Message-ID: <"));
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct outgoing_run run;

        print_message("row %zu\n", row);
        second_pass(&run, rows[row].header, mail_to(people, 1));
        assert_string_equal(run.plan.reason, rows[row].reason);
        assert_false(run.plan.tracked || run.plan.rewrite.changed);
        assert_int_equal(run.plan.record.recipients, 0);
        assert_int_equal(run.plan.edits, rows[row].edits);
        assert_int_equal(run.plan.controls, rows[row].edits);
        outgoing_run_free(&run);
    }
}

static void a_body_that_is_not_there_stays(void **state)
{
    struct outgoing_mail mail = mail_to(people, 1);
    struct outgoing_run run;

    (void)state;
    mail.body = slice_str("");
    mail.body_missing = "memory_limit";
    second_pass(&run, between("", 2), mail);
    assert_string_equal(run.plan.reason, "memory_limit");
    assert_false(run.plan.rewrite.changed);
    assert_int_equal(run.plan.edits, 1);
    outgoing_run_free(&run);
}

static int prepare(void **state)
{
    (void)state;
    keys = outgoing_prepare(&conf);
    conf.stamp.copies = true;
    return keys ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
}

/* --- policy */

static void fail_at(void *arg, const char *line)
{
    (void)arg;
    fail_msg("%s", line);
}

static void use_policy(const char *text)
{
    policy_let_go(policy);
    policy = text ? policy_parse(slice_str(text), fail_at, NULL) : NULL;
}

static void check_why(const struct outgoing_plan *plan, const char *expected)
{
    struct buf why;

    buf_init(&why, 1000);
    if (plan->reason)
        buf_add_f(&why, " reason=%s", plan->reason);
    outgoing_plan_whom(plan, &why);
    assert_string_equal(buf_text(&why), expected);
    buf_free(&why);
}

/* With one body for all, whoever wants least binds the whole mail, and the log says who. */
static void without_copies_a_recipient_binds_the_mail(void **state)
{
    static const struct {
        const char *policy, *why;
        bool tracked, changed;
    } rows[] = {
        {"policy\trecipient\tcy@example.org\toff\t\t\t\t\t\n", " reason=policy_off whom=<cy@example.org>", false, false},
        {"policy\trecipient\texample.org\taggregate\t\t\t\t\t\n", " level=aggregate whom=<cy@example.org>", true, true},
        {"policy\tsender\texample.com\toff\t\t\t\t\t\n", " reason=policy_off whom=<ann@example.com>", false, false},
        {"policy\trecipient\telsewhere.test\toff\t\t\t\t\t\n", "", true, true},
        {"policy\tsender\tann@example.com\t\tfalse\tfalse\t\t\t\n", " reason=unchanged", true, false},
    };

    (void)state;
    conf.stamp.copies = false;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct outgoing_run run;

        print_message("row %zu\n", row);
        use_policy(rows[row].policy);
        first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
        check_why(&run.plan, rows[row].why);
        assert_int_equal(run.plan.tracked, rows[row].tracked);
        assert_int_equal(run.plan.rewrite.changed, rows[row].changed);
        outgoing_run_free(&run);
    }
    conf.stamp.copies = true;
    use_policy(NULL);
}

static void each_copy_follows_its_own_recipient(void **state)
{
    static const struct {
        const char *policy, *why;
        unsigned pixels, links;
        size_t named, first_named, counted;
        uint32_t sent_to;
    } rows[] = {
        {"policy\trecipient\tbob@example.net\toff\t\t\t\t\t\n", " reason=policy_off whom=<bob@example.net>", 0, 0, 0, 1, 0, 1},
        {"policy\trecipient\tbob@example.net\taggregate\t\t\t\t\t\n", " level=aggregate whom=<bob@example.net>",
         1, 3, 0, 1, 1, 2},
        {"policy\trecipient\tbob@example.net\t\tfalse\t\t\t\t\n", "", 0, 3, 1, 2, 0, 2},
        {"policy\trecipient\tcy@example.org\toff\t\t\t\t\t\n", "", 1, 3, 1, 1, 0, 1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        const char *header;
        struct outgoing_run run;

        print_message("row %zu\n", row);
        use_policy(rows[row].policy);
        first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
        assert_true(run.plan.tracked);
        assert_int_equal(run.plan.record.level, LEVEL_INDIVIDUAL);
        assert_int_equal(run.plan.record.recipients, rows[row].first_named);
        assert_int_equal(run.plan.counted, rows[row].counted);
        assert_int_equal(run.plan.record.sent_to, rows[row].sent_to);
        outgoing_run_free(&run);
        header = between("", 2);
        second_pass(&run, header, mail_to(people, 1));
        assert_int_equal(run.plan.rewrite.pixels, rows[row].pixels);
        assert_int_equal(run.plan.rewrite.wrapped, rows[row].links);
        assert_int_equal(run.plan.record.recipients, rows[row].named);
        assert_int_equal(removals(&run.plan, PASS_HEADER), 1);
        check_why(&run.plan, rows[row].why);
        outgoing_run_free(&run);
    }
    use_policy(NULL);
}

static void a_copy_stays_clean_while_policy_is_unknown(void **state)
{
    const char *header;
    struct outgoing_run run;

    (void)state;
    first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
    outgoing_run_free(&run);
    header = between("", 2);
    policy = policy_unknown();
    second_pass(&run, header, mail_to(people, 1));
    assert_false(run.plan.tracked || run.plan.rewrite.changed || run.plan.failed);
    assert_int_equal(removals(&run.plan, PASS_HEADER), 1);
    check_why(&run.plan, " reason=policy_unknown");
    outgoing_run_free(&run);
    use_policy(NULL);
}

static void what_all_copies_share_is_decided_once(void **state)
{
    struct outgoing_run run;

    (void)state;
    use_policy("policy\trecipient\tbob@example.net\toff\t\t\t\t\t\npolicy\trecipient\texample.org\toff\t\t\t\t\t\n");
    first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
    assert_false(run.plan.tracked);
    check_why(&run.plan, " reason=policy_off whom=<bob@example.net>");
    outgoing_run_free(&run);
    use_policy("policy\trecipient\tbob@example.net\toff\t\t\t\t\t\npolicy\trecipient\texample.org\taggregate\t\t\t\t\t\n");
    first_pass(&run, HEADERS "\r\n", mail_to(people, 2));
    assert_int_equal(run.plan.record.level, LEVEL_AGGREGATE);
    assert_int_equal(run.plan.record.recipients, 0);
    outgoing_run_free(&run);
    use_policy(NULL);
}

static void a_mail_joins_its_senders_campaign(void **state)
{
    struct outgoing_run run;

    (void)state;
    use_policy("campaign\texample.com\tspring\tSubject\t*spring*\n");
    first_pass(&run, HEADERS "Subject: =?utf-8?q?Our_Spring?= offer\r\n\r\n", mail_to(people, 2));
    assert_true(slice_is(run.plan.record.campaign, "spring"));
    outgoing_run_free(&run);
    first_pass(&run, HEADERS "Subject: spring\r\nX-Spoor-Campaign: named\r\n\r\n", mail_to(people, 2));
    assert_true(slice_is(run.plan.record.campaign, "named"));
    outgoing_run_free(&run);
    use_policy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_pass_records_and_leaves_the_body),
        cmocka_unit_test(all_copies_share_one_return_path),
        cmocka_unit_test(a_brought_pass_goes_from_any_mail),
        cmocka_unit_test(without_copies_one_pass_does_all),
        cmocka_unit_test(each_copy_has_tokens_of_its_own_and_the_same_links),
        cmocka_unit_test(each_copy_has_a_decoy_of_its_own),
        cmocka_unit_test(several_at_once_are_one_of_these),
        cmocka_unit_test(a_colleague_gets_a_clean_copy),
        cmocka_unit_test(wishes_hold_in_the_second_pass),
        cmocka_unit_test(what_is_not_believed_changes_nothing),
        cmocka_unit_test(a_body_that_is_not_there_stays),
        cmocka_unit_test(without_copies_a_recipient_binds_the_mail),
        cmocka_unit_test(each_copy_follows_its_own_recipient),
        cmocka_unit_test(a_copy_stays_clean_while_policy_is_unknown),
        cmocka_unit_test(what_all_copies_share_is_decided_once),
        cmocka_unit_test(a_mail_joins_its_senders_campaign),
    };

    return cmocka_run_group_tests_name("outgoing_copy", tests, prepare, clean_up);
}
