/* SPDX-License-Identifier: BSD-2-Clause */
/* an event in plain words, the programs behind User-Agents, and charts */

#include "pixeld/agent_name.h"
#include "pixeld/chart.h"
#include "pixeld/feed_entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void programs_and_systems_have_names(void **state)
{
    static const struct {
        const char *agent, *name;
    } cases[] = {
        {"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Windows"},
        {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"},
        {"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/120.0 Safari/537.36 Edg/120.0", "Edge on Windows"},
        {"Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Version/17.0 Mobile/15E148 Safari/604.1",
         "Safari on iPhone"},
        {"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko)", "Apple Mail on Mac"},
        {"Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", "Gmail"},
        {"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Thunderbird/115.0", "Thunderbird on Linux"},
        {"curl/8.0", "curl"}, {"something", ""}, {"", ""}, {NULL, ""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct buf name;

        buf_init(&name, 100);
        agent_name(cases[n].agent, &name);
        assert_string_equal(buf_text(&name), cases[n].name);
        buf_free(&name);
    }
}

static void doubt_is_in_plain_words(void **state)
{
    static const struct {
        const char *verdict, *reason, *words;
        bool machine;
    } cases[] = {
        {"human", NULL, "", false}, {NULL, NULL, "", false}, {"bot", "decoy", "probably automatic", true},
        {"prefetch", NULL, "probably automatic: fetched ahead by the mail program", true},
        {"unknown", NULL, "not certain", false}, {"unknown", "perhaps_own", "perhaps you", false},
        {"self", "own_device", "you, in a browser of yours", false}, {"self", "own_network", "you, from your own network", false},
        {"self", "own_copy", "you, in your own copy", false}, {"self", NULL, "you", false},
        {"proxy", NULL, "through the provider's image proxy", false},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct feed_entry entry = {.what = "view", .verdict = cases[n].verdict, .reason = cases[n].reason};

        assert_string_equal(feed_entry_doubt(&entry), cases[n].words);
        assert_int_equal(feed_entry_is_machine(&entry), cases[n].machine);
    }
}

static void what_somebody_did_is_true_of_them(void **state)
{
    static const struct {
        const char *what, *status, *said;
    } cases[] = {
        {"own", NULL, ">answered for your side<"}, {"list", NULL, ">answered through a mailing list<"},
        {"machine", NULL, ">had a program answer<"}, {"receipt", "displayed", ">the mail was displayed<"},
        {"receipt", "deleted", ">the mail was deleted<"}, {"receipt", "dispatched", ">the mail was passed on<"},
        {"receipt", "processed", ">a program took the mail<"}, {"receipt", NULL, ">sent a receipt<"},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        struct feed_entry entry = {.batch = "1", .record = "2", .spool = "3", .at = "2026-11-30T12:00:00.000Z",
                                   .what = cases[n].what, .person = "anton@example.com", .status = cases[n].status};
        struct buf html;

        buf_init(&html, 64 * 1024);
        feed_entry_add_line(&html, &entry, true);
        assert_non_null(strstr(buf_text(&html), cases[n].said));
        buf_free(&html);
    }
}

static void one_of_several_is_one_of_the_recipients(void **state)
{
    struct feed_entry entry = {.batch = "1", .record = "2", .spool = "3", .at = "2026-11-30T12:00:00.000Z", .what = "view",
                               .person = "one of 2", .message = "7"};
    struct buf html;

    (void)state;
    buf_init(&html, 64 * 1024);
    feed_entry_begin_group(&html, &entry, "");
    assert_non_null(strstr(buf_text(&html), "<h3>one of 2 recipients</h3>"));
    buf_reset(&html);
    feed_entry_add_line(&html, &entry, true);
    assert_non_null(strstr(buf_text(&html), "<span class=\"person\">one of 2 recipients</span>"));
    buf_reset(&html);
    entry.person = "one of 1"; /* of a mail whose level names nobody */
    feed_entry_add_line(&html, &entry, true);
    assert_non_null(strstr(buf_text(&html), "<span class=\"person\">the recipient</span>"));
    buf_free(&html);
}

static void an_entry_is_html_that_nothing_foreign_breaks(void **state)
{
    const char *evil = "\"><script>alert(1)</script>";
    struct feed_entry entry = {
        .batch = "1", .record = "2", .spool = "3", .at = "2026-11-30T12:00:00.000Z", .what = "click", .owner = evil,
        .person = evil, .subject = evil, .detail = evil, .verdict = "human", .message = "7", .campaign = evil, .agent = evil,
        .place = evil, .recipient = "1", .forwarded = true, .show_owner = true, .settles_in = "0"};
    struct buf html;

    (void)state;
    buf_init(&html, 64 * 1024);
    feed_entry_begin_group(&html, &entry, "/t");
    feed_entry_add_line(&html, &entry, true);
    feed_entry_end_group(&html);
    assert_null(strstr(buf_text(&html), "<script"));
    assert_non_null(strstr(buf_text(&html), "id=\"e3-2\""));
    assert_non_null(strstr(buf_text(&html), "href=\"/t/feed/mail/7\""));
    assert_non_null(strstr(buf_text(&html), "probably forwarded"));
    buf_free(&html);
}

static void what_is_missing_leaves_no_gap(void **state)
{
    struct feed_entry entry = {.batch = "1", .record = "2", .spool = "3", .at = "2026-11-30T12:00:00.000Z", .what = "refused",
                               .message = "0"};
    struct feed_entry other = {.message = "0", .subject = "another"};
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    feed_entry_begin_group(&out, &entry, "");
    feed_entry_add_line(&out, &entry, false);
    assert_null(strstr(buf_text(&out), "/feed/mail/0"));
    assert_non_null(strstr(buf_text(&out), "somebody"));
    assert_false(feed_entry_same_group(&entry, &other));
    assert_true(feed_entry_same_group(&entry, &entry));
    buf_reset(&out);
    feed_entry_add_csv(&out, &entry);
    assert_string_equal(buf_text(&out), "\"2026-11-30T12:00:00.000Z\",\"refused\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\"\r\n");
    buf_free(&out);
}

static void a_chart_fits_its_highest_bar(void **state)
{
    const struct chart_bar bar[] = {{"1", "first", 0, 0}, {NULL, "second <&>", 1, 0}, {"3", "third", 1000000, 400000}};
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    chart_add(&out, "Views a day", bar, 3);
    assert_non_null(strstr(buf_text(&out), "aria-label=\"Views a day\""));
    assert_non_null(strstr(buf_text(&out), "<title>second &lt;&amp;&gt;</title>"));
    assert_non_null(strstr(buf_text(&out), "height=\"2\"")); /* one in a million is seen */
    assert_non_null(strstr(buf_text(&out), "class=\"bar\" x=\"52\" y=\"0\""));
    assert_null(strstr(buf_text(&out), "class=\"bar\" x=\"4\""));
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_and_systems_have_names),
        cmocka_unit_test(doubt_is_in_plain_words),
        cmocka_unit_test(what_somebody_did_is_true_of_them),
        cmocka_unit_test(one_of_several_is_one_of_the_recipients),
        cmocka_unit_test(an_entry_is_html_that_nothing_foreign_breaks),
        cmocka_unit_test(what_is_missing_leaves_no_gap),
        cmocka_unit_test(a_chart_fits_its_highest_bar),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
