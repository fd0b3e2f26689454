/* SPDX-License-Identifier: BSD-2-Clause */
/* the kinds of answers by their headers, and which sign wins over which */

#include "mail/classify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum sender { PERSON, NOBODY };

struct example {
    const char *headers;
    enum sender sender;
    const char *from;
    const char *verdict; /* "class confidence" */
};

static const struct example examples[] = {
    {"Subject: Re: hello\n", PERSON, "bob@client.example", "reply high"},
    {"Subject: Re: hello\nX-Auto-Response-Suppress: All\n", PERSON, "bob@client.example", "reply high"},
    {"Auto-Submitted: no\n", PERSON, "bob@client.example", "reply high"},
    {"Auto-Submitted: (a comment) NO\n", PERSON, "bob@client.example", "reply high"},
    {"Auto-Submitted:\n", PERSON, "bob@client.example", "reply high"},
    {"Auto-Submitted: Auto-Replied\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Auto-Submitted: (x) auto-replied; owner-email=a@b\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Auto-Submitted: no\nAuto-Submitted: auto-replied\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Auto-Submitted: auto-generated\n", PERSON, "bob@client.example", "machine high"},
    {"Auto-Submitted: auto-notified\n", PERSON, "bob@client.example", "machine high"},
    {"Auto-Submitted: x-something\n", PERSON, "bob@client.example", "machine high"},
    {"Auto-Submitted: auto-generated\nSubject: Out of Office: x\n", PERSON, "bob@client.example", "auto_reply high"},
    {"X-MS-Exchange-Inbox-Rules-Loop: bob@x\n", PERSON, "bob@client.example", "auto_reply high"},
    {"X-Autoreply: yes\n", PERSON, "bob@client.example", "auto_reply high"},
    {"X-Autoreply: no\n", PERSON, "bob@client.example", "reply high"},
    {"Precedence: auto_reply\n", PERSON, "bob@client.example", "auto_reply high"},
    {"X-Precedence: auto_reply\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Delivered-To: a@b\nDelivered-To: Autoresponder\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Subject: hello\n", NOBODY, "bob@client.example", "auto_reply medium"},
    {"Subject: hello\n", NOBODY, "noreply@client.example", "machine medium"},
    {"Subject: Undeliverable: hello\n", NOBODY, "postmaster@client.example", "bounce medium"},
    {"Subject: Undeliverable: hello\n", PERSON, "postmaster@client.example", "machine low"},
    {"Subject: Undeliverable: hello\n", NOBODY, "bob@client.example", "auto_reply medium"},
    {"Subject: Mail delivery delayed\n", NOBODY, "mailer-daemon@client.example", "delay medium"},
    {"X-Failed-Recipients: bob@client.example\n", PERSON, "x@client.example", "bounce medium"},
    {"X-Failed-Recipients: none\n", PERSON, "bob@client.example", "reply high"},
    {"Precedence: list\n", PERSON, "bob@client.example", "list medium"},
    {"List-Id: <a.b>\nSubject: Re: [b] hello\n", PERSON, "bob@client.example", "list medium"},
    {"Precedence: bulk\n", PERSON, "bob@client.example", "list low"},
    {"Feedback-ID: 1:2:3\n", PERSON, "no-reply-7@client.example", "machine medium"},
    {"Subject: Away from my mail\nPrecedence: junk\n", PERSON, "bob@client.example", "auto_reply high"},
    {"Subject: Autosvar: hej\n", PERSON, "bob@client.example", "auto_reply low"},
    {"Subject: =?utf-8?Q?Automatick=C3=A1_odpov=C4=9B=C4=8F=3A_x?=\n", PERSON, "bob@client.example",
     "auto_reply low"},
    {"Subject: Re: Automatic reply: hello\n", PERSON, "bob@client.example", "reply high"},
    {"Subject: Automatic replying machines\n", PERSON, "bob@client.example", "reply high"},
    {"Subject: hello\n", PERSON, "do-not-reply@client.example", "machine low"},
    {"Subject: hello\n", PERSON, "root.beer@client.example", "reply high"},
    {"Subject: hello\n", PERSON, "root@client.example", "machine low"},
    {"Subject: hello\n", PERSON, "noreplyson@client.example", "reply high"},
    {"Subject: hello\n", PERSON, "", "reply high"},
};

static const char *verdict_on(const struct example *example, const struct report *report, struct buf *out)
{
    struct header_list headers;
    struct classify_mail mail = {.headers = &headers, .report = report, .from = slice_str(example->from),
                                 .null_sender = example->sender == NOBODY};
    struct classify_result result;

    header_list_init(&headers);
    header_parse(slice_str(example->headers), &headers);
    assert_true(classify(&mail, &result));
    header_list_free(&headers);
    buf_reset(out);
    buf_add_f(out, "%s %s", answer_class_name(result.class_), answer_confidence_name(result.confidence));
    return buf_text(out);
}

static void headers_tell_the_class(void **state)
{
    static const struct report none = {.kind = REPORT_NONE};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t n = 0; n < sizeof examples / sizeof examples[0]; n++)
        if (strcmp(verdict_on(&examples[n], &none, &out), examples[n].verdict) != 0)
            fail_msg("%s%s is %s, not %s", examples[n].headers, examples[n].from, buf_text(&out), examples[n].verdict);
    buf_free(&out);
}

static void a_report_wins_over_every_header(void **state)
{
    static const struct {
        struct report report;
        const char *verdict;
    } cases[] = {
        {{.kind = REPORT_DELIVERY, .action = ACTION_FAILED}, "bounce high"},
        {{.kind = REPORT_DELIVERY, .action = ACTION_DELAYED}, "delay high"},
        {{.kind = REPORT_DELIVERY, .action = ACTION_DELIVERED}, "delivered high"},
        {{.kind = REPORT_DELIVERY, .action = ACTION_UNKNOWN}, "bounce medium"},
        {{.kind = REPORT_DISPOSITION}, "receipt high"},
        {{.kind = REPORT_FEEDBACK, .complaint = true}, "complaint high"},
        {{.kind = REPORT_FEEDBACK}, "machine high"},
        {{.kind = REPORT_MEETING}, "auto_reply high"}, /* what answers by itself is no person who accepts */
    };
    static const struct example robot = {"Auto-Submitted: auto-replied\n", NOBODY, "x@y.example", ""};
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++)
        assert_string_equal(verdict_on(&robot, &cases[n].report, &out), cases[n].verdict);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_tell_the_class),
        cmocka_unit_test(a_report_wins_over_every_header),
    };

    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
