/* SPDX-License-Identifier: BSD-2-Clause */
/* campaigns: whom a mail still reaches, what a refusal says, which answers end one */

#include "mail/campaign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const int64_t now_us = INT64_C(1790000000000000); /* 2026-09-21 14:13 UTC */
static const int64_t hour_us = INT64_C(3600000000);
enum { THREE_DAYS_S = 3 * 86400 };

static const struct slice path[] = {SLICE_TEXT("Bob@Example.NET"), SLICE_TEXT("carol@example.org"), SLICE_TEXT("dave@example.net")};
enum { PATHS = sizeof path / sizeof *path };

static struct campaign campaign;
static struct campaign_verdict verdict;

static void begin(const char *cc)
{
    struct header_list headers;

    header_list_init(&headers);
    if (cc)
        header_list_add(&headers, "Cc", cc);
    campaign_free(&campaign);
    assert_true(campaign_init(&campaign, path, PATHS, &headers));
    header_list_free(&headers);
}

static int tear_down(void **state)
{
    (void)state;
    campaign_free(&campaign);
    return 0;
}

static void stop(const char *address)
{
    campaign_block(&campaign, address, "reply", now_us - 100 * hour_us, 0);
}

static void pause_for(const char *address, int hours)
{
    campaign_block(&campaign, address, "auto_reply", now_us, now_us + hours * hour_us);
}

static enum campaign_action action(void)
{
    campaign_judge(&campaign, now_us, THREE_DAYS_S, &verdict);
    return verdict.action;
}

static void addresses_are_compared_in_normal_form(void **state)
{
    (void)state;
    begin(NULL);
    stop("bob@example.net");
    assert_int_equal(campaign.recipient[0].state, CAMPAIGN_STOPPED);
    assert_true(slice_eq(campaign.recipient[0].path, path[0]));
    stop("nobody@example.net");
    assert_int_equal(campaign.recipient[2].state, CAMPAIGN_OPEN);
}

static void copies_are_found_as_whole_addresses(void **state)
{
    (void)state;
    begin("Carol <CAROL@example.org>, notdave@example.net, bob@example.net.test");
    assert_false(campaign.recipient[0].copied);
    assert_true(campaign.recipient[1].copied);
    assert_false(campaign.recipient[2].copied);
}

static void a_mail_goes_as_long_as_somebody_gets_it(void **state)
{
    (void)state;
    begin(NULL);
    assert_int_equal(action(), CAMPAIGN_GO);
    assert_null(verdict.because);
    stop("bob@example.net");
    assert_int_equal(action(), CAMPAIGN_DROP);
    assert_int_equal(verdict.stopped, 1);
    pause_for("carol@example.org", 24);
    assert_int_equal(action(), CAMPAIGN_DROP);
    stop("carol@example.org");
    stop("dave@example.net");
    assert_int_equal(action(), CAMPAIGN_REFUSE);
    assert_int_equal(verdict.stopped, 3);
}

static void a_mail_waits_for_those_who_are_back_soon(void **state)
{
    (void)state;
    begin(NULL);
    stop("bob@example.net");
    pause_for("carol@example.org", 24);
    pause_for("dave@example.net", 72);
    assert_int_equal(action(), CAMPAIGN_LATER);
    assert_string_equal(verdict.because->address, "carol@example.org");
    pause_for("dave@example.net", 73);
    assert_int_equal(action(), CAMPAIGN_DROP);
    begin(NULL);
    for (size_t at = 0; at < PATHS; at++)
        pause_for(campaign.recipient[at].address, 73);
    assert_int_equal(action(), CAMPAIGN_GO);
}

static void nobody_is_nobody(void **state)
{
    struct campaign none = {.recipient = NULL};

    (void)state;
    campaign_judge(&none, now_us, THREE_DAYS_S, &verdict);
    assert_int_equal(verdict.action, CAMPAIGN_GO);
}

static void check_text(const char *name, const char *expected)
{
    struct buf text;

    buf_init(&text, 900);
    action();
    assert_true(campaign_explain(&verdict, slice_str(name), &text));
    assert_string_equal(buf_text(&text), expected);
    buf_free(&text);
}

static void the_refusal_says_who_why_and_since_when(void **state)
{
    (void)state;
    begin(NULL);
    for (size_t at = 0; at < PATHS; at++)
        stop(campaign.recipient[at].address);
    check_text("spring", "campaign \"spring\" has ended for <bob@example.net>: reply of 2026-09-17 10:13 UTC");
    check_text("100%\r\n\xC3\xBC\"", "campaign \"100?????" "?\" has ended for <bob@example.net>: reply of 2026-09-17 10:13 UTC");
    for (size_t at = 0; at < PATHS; at++)
        pause_for(campaign.recipient[at].address, 24);
    check_text("spring", "campaign \"spring\" pauses for <bob@example.net>: auto_reply, until 2026-09-22 14:13 UTC");
}

static struct incoming_verdict answer(enum answer_class class_)
{
    return (struct incoming_verdict){.class_ = class_, .confidence = CONFIDENCE_MEDIUM, .message = 5, .recipient = 7, .from = "bob@example.net", .digest = {1, 2}};
}

static void these_answers_end_a_campaign(void **state)
{
    struct incoming_verdict incoming = answer(ANSWER_REPLY);
    struct record_stop record;

    (void)state;
    assert_true(campaign_stop_of(&incoming, true, now_us, &record));
    assert_true(record.message == 5 && record.recipient == 7 && record.others && record.time_us == now_us);
    assert_true(slice_is_i(record.address, "bob@example.net") && record.until_us == 0 && record.digest[1] == 2);
    incoming.confidence = CONFIDENCE_LOW;
    assert_true(campaign_stop_of(&incoming, true, now_us, &record));
    assert_false(record.others);
    incoming = answer(ANSWER_COMPLAINT);
    assert_true(campaign_stop_of(&incoming, false, now_us, &record));
    assert_true(slice_empty(record.address) && !record.others);
    incoming = answer(ANSWER_BOUNCE);
    incoming.hard = HARD_YES;
    memcpy(incoming.about, "carol@example.org", sizeof "carol@example.org");
    assert_true(campaign_stop_of(&incoming, true, now_us, &record));
    assert_true(slice_is_i(record.address, "carol@example.org"));
    incoming = answer(ANSWER_AUTO_REPLY);
    memcpy(incoming.until, "2026-09-24", sizeof incoming.until);
    assert_true(campaign_stop_of(&incoming, true, now_us, &record));
    assert_true(record.until_us == INT64_C(1790208000000000));
}

static void these_answers_end_nothing(void **state)
{
    static const enum answer_class others[] = {ANSWER_NONE,      ANSWER_OWN,     ANSWER_RECEIPT, ANSWER_DELAY,
                                               ANSWER_DELIVERED, ANSWER_MEETING, ANSWER_LIST,    ANSWER_MACHINE,
                                               ANSWER_AUTO_REPLY};
    struct incoming_verdict incoming;
    struct record_stop record;

    (void)state;
    for (size_t at = 0; at < sizeof others / sizeof *others; at++) {
        incoming = answer(others[at]);
        assert_false(campaign_stop_of(&incoming, true, now_us, &record));
    }
    incoming = answer(ANSWER_BOUNCE);
    for (enum answer_hard hard = HARD_UNKNOWN; hard < HARD_YES; hard++) {
        incoming.hard = hard;
        assert_false(campaign_stop_of(&incoming, true, now_us, &record));
    }
    incoming = answer(ANSWER_AUTO_REPLY);
    memcpy(incoming.until, "2026-09-20", sizeof incoming.until);
    assert_false(campaign_stop_of(&incoming, true, now_us, &record));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_are_compared_in_normal_form),
        cmocka_unit_test(copies_are_found_as_whole_addresses),
        cmocka_unit_test(a_mail_goes_as_long_as_somebody_gets_it),
        cmocka_unit_test(a_mail_waits_for_those_who_are_back_soon),
        cmocka_unit_test(nobody_is_nobody),
        cmocka_unit_test(the_refusal_says_who_why_and_since_when),
        cmocka_unit_test(these_answers_end_a_campaign),
        cmocka_unit_test(these_answers_end_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, tear_down);
}
