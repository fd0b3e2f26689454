/* SPDX-License-Identifier: BSD-2-Clause */
/* plain text parts: cleaned always, tracked when asked */

#include "tests/support/rewrite_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CLICK CHECK_TRACKING_URL "/c/one-"
#define OLD CHECK_TRACKING_URL "/c/old-"
#define HEAD "Content-Type: text/plain; charset=utf-8\r\n"

struct outcome {
    struct header_list headers;
    struct slice body;
    struct rewrite_result result;
};

static void run(const char *mail, bool text_links, struct outcome *outcome)
{
    struct rewrite_settings settings = check_settings("one");

    settings.text_links = text_links;
    header_list_init(&outcome->headers);
    outcome->body = slice_from(slice_str(mail), header_parse(slice_str(mail), &outcome->headers));
    check_rewrite(&outcome->headers, outcome->body, &settings, &outcome->result);
}

static void outcome_free(struct outcome *outcome)
{
    rewrite_result_free(&outcome->result);
    header_list_free(&outcome->headers);
}

/* Rewrites MAIL and expects BODY; returns the fate of its only link, or -1. */
static int expect_body(const char *mail, const char *body, bool text_links)
{
    struct outcome outcome;
    int fate;

    run(mail, text_links, &outcome);
    assert_string_equal(outcome.result.changed ? buf_text(&outcome.result.body) : outcome.body.p, body);
    assert_int_equal(outcome.result.pixels, 0);
    fate = outcome.result.links == 1 ? (int)outcome.result.link[0].fate : -1;
    outcome_free(&outcome);
    return fate;
}

static void text_stays_unless_asked(void **state)
{
    (void)state;
    expect_body(HEAD "\r\nsee https://a.example/x\r\n", "see https://a.example/x\r\n", false);
    assert_int_equal(expect_body(HEAD "\r\nsee https://a.example/x\r\n",
                                 "see " CLICK "1/https%3A%2F%2Fa.example%2Fx\r\n", true),
                     LINK_WRAPPED);
}

static void urls_end_where_readers_end_them(void **state)
{
    static const char *const cases[][3] = {
        {"<", "https://a.example/x", ">"},    {"(", "https://a.example/x", ")"},
        {"", "https://a.example/x", "."},     {"", "https://a.example/x(y)", ", then"},
        {"\"", "https://a.example/x", "\""},  {"", "HTTPS://a.example/x", "!?"},
        {"[1] ", "http://a.example", "\r\n"}, {"\t", "http://a.example/?a=1&b=2#c", "\t"},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct outcome outcome;
        char mail[200];

        snprintf(mail, sizeof mail, HEAD "\r\n%s%s%s", cases[at][0], cases[at][1], cases[at][2]);
        run(mail, true, &outcome);
        assert_int_equal(outcome.result.links, 1);
        assert_string_equal(outcome.result.link[0].destination, cases[at][1]);
        assert_int_equal(outcome.result.link[0].fate, LINK_WRAPPED);
        outcome_free(&outcome);
    }
}

static void what_is_no_url_stays(void **state)
{
    static const char *const cases[] = {"ftp://a.example/", "xhttp://a.example/", "://", "http://", "http:// x",
                                        "mailto:a@b.example", "https:/a.example"};

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        char mail[200];

        snprintf(mail, sizeof mail, HEAD "\r\n%s\r\n", cases[at]);
        assert_int_equal(expect_body(mail, strstr(mail, "\r\n\r\n") + 4, true), -1);
    }
}

static void links_that_must_stay_do(void **state)
{
    static const struct {
        const char *url;
        enum rewrite_fate fate;
    } cases[] = {
        {"https://a.example/unsubscribe", LINK_UNSUBSCRIBE}, {"https://a.example/verify?x", LINK_SENSITIVE},
        {"https://intern.example/x", LINK_EXCLUDED},         {"https://u@a.example/x", LINK_UNSIGNABLE},
        {CHECK_TRACKING_URL "/u/x", LINK_OWN},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        char mail[200];

        snprintf(mail, sizeof mail, HEAD "\r\n%s\r\n", cases[at].url);
        assert_int_equal(expect_body(mail, strstr(mail, "\r\n\r\n") + 4, true), cases[at].fate);
    }
}

static void quoted_lines_and_history_stay(void **state)
{
    (void)state;
    assert_int_equal(
        expect_body(HEAD "\r\n> https://a.example/x\r\n", "> https://a.example/x\r\n", true), LINK_QUOTED);
    assert_int_equal(expect_body(HEAD "\r\n-----Original Message-----\r\nhttps://a.example/x\r\n",
                                 "-----Original Message-----\r\nhttps://a.example/x\r\n", true),
                     LINK_QUOTED);
    assert_int_equal(expect_body(HEAD "\r\n________________________________\r\nFrom: x\r\nhttps://a.example/x\r\n",
                                 "________________________________\r\nFrom: x\r\nhttps://a.example/x\r\n", true),
                     LINK_QUOTED);
    assert_int_equal(expect_body(HEAD "\r\n-----\r\nhttps://a.example/x\r\n",
                                 "-----\r\n" CLICK "1/https%3A%2F%2Fa.example%2Fx\r\n", true),
                     LINK_WRAPPED);
}

static void our_old_traces_go(void **state)
{
    (void)state;
    assert_int_equal(expect_body(HEAD "\r\n> <" OLD "1/https%3A%2F%2Fa.example%2F%3Fb%3D1>.\r\n",
                                 "> <https://a.example/?b=1>.\r\n", false),
                     LINK_UNWRAPPED);
    expect_body(HEAD "\r\nx [" OLD "decoy/x]\r\n<" OLD "decoy/x>.\r\n", "x \r\n.\r\n", false);
    expect_body(HEAD "\r\nx [" CHECK_TRACKING_URL "/o/old.gif]\r\n<" CHECK_TRACKING_URL "/o/old.gif>.\r\n",
                "x \r\n.\r\n", false);
    assert_int_equal(expect_body(HEAD "\r\n" OLD "1/https%3A%2F%2Fa.example%2Fx\r\n",
                                 CLICK "1/https%3A%2F%2Fa.example%2Fx\r\n", true),
                     LINK_WRAPPED);
    assert_int_equal(expect_body(HEAD "Content-Transfer-Encoding: quoted-printable\r\n\r\n> " CHECK_TRACKING_URL
                                      "/c/=\r\nold-1/https%3A%2F%2Fa.example%2F%3Db\r\n",
                                 "> https://a.example/=3Db\r\n", false),
                     LINK_UNWRAPPED);
}

static void marks_in_text_say_no(void **state)
{
    (void)state;
    assert_int_equal(expect_body(HEAD "\r\nhttps://a.example/x[[data-msys-clicktrack=\"0\"]] y\r\n",
                                 "https://a.example/x y\r\n", true),
                     LINK_OPTED_OUT);
    assert_int_equal(expect_body(HEAD "\r\nhttps+notrack://a.example/x\r\n", "https://a.example/x\r\n", true),
                     LINK_OPTED_OUT);
}

static void a_line_never_grows_too_long(void **state)
{
    struct outcome outcome;
    struct buf mail;

    (void)state;
    buf_init(&mail, 10000);
    buf_add_str(&mail, HEAD "\r\n");
    for (int n = 0; n < 96; n++)
        buf_add_str(&mail, "123456789 ");
    buf_add_str(&mail, "http://a.example\r\nnext line http://a.example\r\n");
    run(buf_text(&mail), true, &outcome); /* which checks 998 */
    assert_int_equal(outcome.result.links, 2);
    assert_int_equal(outcome.result.link[0].fate, LINK_NO_ROOM);
    assert_int_equal(outcome.result.link[1].fate, LINK_WRAPPED);
    outcome_free(&outcome);
    buf_free(&mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_unless_asked),
        cmocka_unit_test(urls_end_where_readers_end_them),
        cmocka_unit_test(what_is_no_url_stays),
        cmocka_unit_test(links_that_must_stay_do),
        cmocka_unit_test(quoted_lines_and_history_stay),
        cmocka_unit_test(our_old_traces_go),
        cmocka_unit_test(marks_in_text_say_no),
        cmocka_unit_test(a_line_never_grows_too_long),
    };

    return cmocka_run_group_tests_name("plain", tests, NULL, NULL);
}
