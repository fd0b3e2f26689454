/* SPDX-License-Identifier: BSD-2-Clause */
/* lines of spoor-stamp's log, however they were written, and what is counted of them */

#include "ctl/observation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { REPORT_MAX = 1 << 20 };

#define ASSERT_TEXT(slice, text) assert_true(slice_is(slice, text))

static void a_line_of_syslog(void **state)
{
    struct observation seen;

    (void)state;
    assert_true(observation_read(slice_str("Nov 30 15:29:14 mx1 spoor-stamp-two[123]: 4XyZ: message=7 from=<a@example.com> recipients=1"
                                           " size=4000 grows=-12 would_add=id,links:3 reason=no_html level=aggregate whom=<b@c>\n"),
                                 &seen));
    assert_true(seen.tracked && seen.sized && !seen.copy);
    ASSERT_TEXT(seen.queue_id, "4XyZ");
    ASSERT_TEXT(seen.from, "a@example.com");
    ASSERT_TEXT(seen.added, "id,links:3");
    ASSERT_TEXT(seen.reason, "no_html");
    assert_int_equal(seen.size, 4000);
    assert_int_equal(seen.grows, -12);
}

static void a_line_of_standard_error(void **state)
{
    struct observation seen;

    (void)state;
    assert_true(observation_read(slice_str("spoor-stamp: info: 4XyZ: untouched reason=track_only from=<\"a reason=x b\"@c> recipients=1"),
                                 &seen));
    assert_false(seen.tracked || seen.sized);
    ASSERT_TEXT(seen.from, "\"a reason=x b\"@c");
    ASSERT_TEXT(seen.reason, "track_only");
    assert_true(observation_read(slice_str("spoor-stamp: info: 4XyZ: copy message=7 to=<b@c> recipients=1 added=-"), &seen));
    assert_true(seen.copy && seen.tracked);
}

static void other_lines_are_none(void **state)
{
    static const char *const lines[] = {
        "", "spoor-stamp", "spoor-stamp[1]: ready", "spoor-stamp: notice: ready", "spoor-stamp[1]: 4XyZ: campaign=stopped action=refuse",
        "postfix/smtpd[1]: 4XyZ: message=7 from=<a@b> added=id", "spoor-match[1]: 4XyZ: class=none from=<a@b> recipients=1",
        "spoor-stamp[1]: 4XyZ: message=7", "spoor-stamp[1]: 4XyZ: message=7 from=<a@b> recipients=1",
        "spoor-stamp[1]: policy: 0 on people, 0 on campaigns, 0 logins",
        "Nov 30 15:29:14 mx1 postfix/cleanup[1]: 4XyZ: warning: header Subject: spoor-stamp: 4XyZ: message=7 from=<a@b> added=id"};
    struct observation seen;

    (void)state;
    for (size_t n = 0; n < sizeof lines / sizeof *lines; n++)
        assert_false(observation_read(slice_str(lines[n]), &seen));
}

static void words_of_a_list_are_counted(void **state)
{
    (void)state;
    assert_int_equal(observation_count(slice_str("id,links:12,pixel:1"), "links"), 12);
    assert_int_equal(observation_count(slice_str("id,links:12"), "id"), 1);
    assert_int_equal(observation_count(slice_str("id,links:12"), "link"), 0);
    assert_int_equal(observation_count(slice_str("-"), "id"), 0);
    assert_int_equal(observation_count(slice_str(""), "id"), 0);
}

static void add(struct observed_sums *sums, const char *line)
{
    struct observation seen;

    assert_true(observation_read(slice_str(line), &seen));
    assert_true(observed_sums_add(sums, &seen));
}

static void a_report(void **state)
{
    struct observed_sums *sums = observed_sums_new();
    struct buf text;

    (void)state;
    add(sums, "spoor-stamp[1]: Q1: message=1 from=<b@c> recipients=1 size=1000 grows=300 would_add=id,anchor,pixel:1,links:2,documents:1");
    add(sums, "spoor-stamp[1]: Q2: message=2 from=<a@c> recipients=1 size=3000 grows=100 would_add=anchor,pass reason=no_html");
    add(sums, "spoor-stamp[1]: Q2b: copy message=2 to=<x@y> recipients=1 would_add=pixel:1,links:1");
    add(sums, "spoor-stamp[1]: Q3: untouched reason=foreign_from from=<> recipients=1");
    add(sums, "spoor-stamp[1]: Q4: untouched reason=foreign_from from=<a@c> recipients=1");
    buf_init(&text, REPORT_MAX);
    observed_sums_report(sums, &text);
    assert_string_equal(buf_text(&text), "mails                              4\n"
                                         "tracked                            2  50 %\n"
                                         "  with an image                    2\n"
                                         "  with links                       2  3 links\n"
                                         "  with documents                   1  1 files leave for a link\n"
                                         "  Message-ID replaced              1\n"
                                         "  history cleaned                  0\n"
                                         "  bytes added                    400  to 4000 bytes of 2 mails, 200 each\n"
                                         "tracked in part                    1\n"
                                         "  no_html                          1  such as Q2 from <a@c>\n"
                                         "untouched                          2\n"
                                         "  foreign_from                     2  such as Q3 from <>\n"
                                         "\n"
                                         "envelope sender                                mails tracked   links   files\n"
                                         "a@c                                                2       1       0       0\n"
                                         "<>                                                 1       0       0       0\n"
                                         "b@c                                                1       1       2       1\n");
    buf_free(&text);
    observed_sums_free(sums);
}

/* However its address has to be shown. */
static void a_sender_is_one(void **state)
{
    struct observed_sums *sums = observed_sums_new();
    char line[600];

    (void)state;
    snprintf(line, sizeof line, "spoor-stamp[1]: Q: untouched reason=why from=<%0400d@c> recipients=1", 7);
    for (unsigned n = 0; n < 2; n++) {
        add(sums, "spoor-stamp[1]: Q: untouched reason=why from=<\xc3\x89lan@c> recipients=1");
        add(sums, line);
    }
    assert_int_equal(sums->senders, 2);
    assert_int_equal(sums->sender[0].mails, 2);
    assert_int_equal(sums->sender[1].mails, 2);
    observed_sums_free(sums);
}

/* Whoever sends under a new address each time fills no memory. */
static void beyond_the_caps_all_are_counted_together(void **state)
{
    struct observed_sums *sums = observed_sums_new();
    struct buf text;
    char line[200];

    (void)state;
    for (unsigned n = 0; n < OBSERVED_SENDERS + 50; n++) {
        snprintf(line, sizeof line, "spoor-stamp[1]: Q: untouched reason=why%u from=<%u@c\x1b> recipients=1", n, n);
        add(sums, line);
    }
    assert_int_equal(sums->senders, OBSERVED_SENDERS + 1);
    assert_int_equal(sums->untouched.count, OBSERVED_REASONS + 1);
    buf_init(&text, REPORT_MAX);
    observed_sums_report(sums, &text);
    assert_non_null(strstr(buf_text(&text), "  all others                    4950\n"));
    assert_null(strchr(buf_text(&text), 0x1b));
    assert_int_equal(sums->sender[OBSERVED_SENDERS].mails, 50);
    buf_free(&text);
    observed_sums_free(sums);
}

/* What another program has written into the log is as long as it likes. */
static void a_long_text_is_cut(void **state)
{
    struct observed_sums *sums = observed_sums_new();
    char line[5000], longest[1000];
    struct slice rest;
    struct buf text;

    (void)state;
    memset(longest, 'x', sizeof longest);
    for (unsigned n = 0; n < 3; n++) {
        snprintf(line, sizeof line, "spoor-stamp[1]: %.1000s: untouched reason=%.1000s%u from=<%.1000s%u> recipients=1", longest, longest, n,
                 longest, n);
        add(sums, line);
    }
    assert_int_equal(sums->senders, 1);
    assert_int_equal(sums->untouched.count, 1);
    buf_init(&text, REPORT_MAX);
    observed_sums_report(sums, &text);
    for (rest = buf_slice(&text); rest.len;)
        assert_true(slice_cut(&rest, '\n').len < 400);
    buf_free(&text);
    observed_sums_free(sums);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_of_syslog),
        cmocka_unit_test(a_line_of_standard_error),
        cmocka_unit_test(other_lines_are_none),
        cmocka_unit_test(words_of_a_list_are_counted),
        cmocka_unit_test(a_report),
        cmocka_unit_test(a_sender_is_one),
        cmocka_unit_test(beyond_the_caps_all_are_counted_together),
        cmocka_unit_test(a_long_text_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
