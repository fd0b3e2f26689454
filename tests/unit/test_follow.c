/* SPDX-License-Identifier: BSD-2-Clause */
/* from the lines of a log to records: whose mail is followed, and what goes with it */

#include "delivery/follow.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define AT "Nov 21 07:01:10 mail postfix/"

enum { SPOOLED_MOST = 64 * 1024 /* as the follower has it */, TEXT_MOST = 1 << 16, LINE_MOST = 65000 };

struct fixture {
    struct follow *follow;
    struct buf records; /* as words, a line each */
    struct buf payload;
};

static void add(struct buf *out, const char *name, struct slice value)
{
    if (!slice_empty(value))
        buf_add_f(out, " %s=%.*s", name, SLICE_ARG(value));
}

static void take(void *arg, const struct record_delivery *delivery)
{
    struct fixture *fixture = arg;

    buf_reset(&fixture->payload);
    assert_true(record_delivery_encode(delivery, &fixture->payload));
    buf_add_f(&fixture->records, "%s %.*s", delivery_state_name(delivery->state), SLICE_ARG(delivery->queue_id));
    add(&fixture->records, "first", delivery->first);
    add(&fixture->records, "to", delivery->recipient);
    add(&fixture->records, "original", delivery->original);
    add(&fixture->records, "next", delivery->goes_on_as);
    buf_add_str(&fixture->records, delivery->tls ? " tls\n" : "\n");
}

static int set_up(void **state)
{
    static char *ours[] = {"example.com"};
    static const struct conf_list domains = {.item = ours, .count = 1};
    struct fixture *fixture = calloc(1, sizeof *fixture);

    buf_init(&fixture->records, TEXT_MOST);
    buf_init(&fixture->payload, SPOOLED_MOST);
    fixture->follow = follow_new(&domains, take, fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    follow_free(fixture->follow);
    buf_free(&fixture->records);
    buf_free(&fixture->payload);
    free(fixture);
    return 0;
}

static void say(struct fixture *fixture, const char *line)
{
    follow_line(fixture->follow, slice_str(line), 1795244470 * (int64_t)1000000);
}

static void mail_of_others_is_left_out_with_its_copies(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, AT "qmgr[1]: AAAAA1: from=<a@example.com>, size=1, nrcpt=1 (queue active)");
    say(fixture, AT "qmgr[1]: BBBBB1: from=<b@elsewhere.test>, size=1, nrcpt=1 (queue active)");
    say(fixture, AT "smtpd[1]: BBBBB2: client=x[127.0.0.1], orig_queue_id=BBBBB1");
    for (const char *const *id = (const char *const[]){"AAAAA1", "BBBBB1", "BBBBB2", "CCCCC1", NULL}; *id; id++) {
        char line[200];

        snprintf(line, sizeof line, AT "smtp[1]: %s: to=<c@x.test>, relay=none, dsn=4.0.0, status=deferred (no)", *id);
        say(fixture, line);
    }
    assert_string_equal(buf_text(&fixture->records), "deferred AAAAA1 to=c@x.test\ndeferred CCCCC1 to=c@x.test\n");
    assert_int_equal(follow_counts(fixture->follow).foreign, 3);
}

static void a_mail_is_followed_under_its_next_queue_id(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, AT "copies/smtpd[1]: AAAAA2: client=x[127.0.0.1], orig_queue_id=AAAAA1, orig_client=y[192.0.2.1]");
    say(fixture, AT "local[1]: AAAAA2: to=<c@x.test>, relay=local, dsn=2.0.0, status=sent (forwarded as AAAAA3)");
    say(fixture, AT "pickup[1]: AAAAA4: uid=103 from=<a@example.com> orig_id=AAAAA3");
    say(fixture, AT "pickup[1]: AAAAA5: uid=0 from=<root>");
    say(fixture, AT "smtpd[1]: AAAAA6: client=x[127.0.0.1], orig_queue_id=");
    assert_string_equal(buf_text(&fixture->records), "copy AAAAA2 first=AAAAA1\ncopy AAAAA3 first=AAAAA2\ncopy AAAAA4 first=AAAAA3\n");
}

static void tls_goes_with_the_process_and_its_server(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, AT "smtp[1]: Trusted TLS connection established to mx.x[192.0.2.1]:25: TLSv1.3 with cipher X");
    say(fixture, AT "smtp[1]: AAAAA1: to=<c@x>, relay=mx.x[192.0.2.1]:25, dsn=2.0.0, status=sent (250 Ok)");
    say(fixture, AT "smtp[1]: AAAAA1: to=<d@x>, relay=mx.y[192.0.2.2]:25, dsn=2.0.0, status=sent (250 Ok)");
    say(fixture, AT "smtp[2]: AAAAA1: to=<e@x>, relay=mx.x[192.0.2.1]:25, dsn=2.0.0, status=sent (250 Ok)");
    assert_string_equal(buf_text(&fixture->records), "delivered AAAAA1 to=c@x tls\ndelivered AAAAA1 to=d@x\ndelivered AAAAA1 to=e@x\n");
}

static void each_of_sendmails_recipients_has_a_record(void **state)
{
    struct fixture *fixture = *state;

    say(fixture, "Nov 21 07:01:10 mail sm-mta[1]: 6AL8inpv019658: to=<C@X.test>,<d@x.test>, relay=none, dsn=2.0.0, stat=Sent (Ok)");
    assert_string_equal(buf_text(&fixture->records), "delivered 6AL8inpv019658 to=c@x.test\ndelivered 6AL8inpv019658 to=d@x.test\n");
}

/* BEFORE, then as many letters as make a line as long as any that is read, then AFTER. */
static void say_long(struct fixture *fixture, const char *before, const char *after)
{
    struct buf line;

    buf_init(&line, 2 * LINE_MOST);
    buf_add_str(&line, before);
    while (line.len < LINE_MOST)
        buf_add_char(&line, 'x');
    buf_add_str(&line, after);
    follow_line(fixture->follow, buf_slice(&line), 1795244470 * (int64_t)1000000);
    buf_free(&line);
}

static void whatever_a_line_holds_can_be_spooled(void **state)
{
    struct fixture *fixture = *state;

    say_long(fixture, AT "smtp[1]: AAAAA1: to=<c@x.test>, relay=[", "]:25, dsn=2.0.0, status=sent (250 Ok)");
    say_long(fixture, AT "smtp[1]: AAAAA1: to=<c@x.test>, relay=none, dsn=", ", status=sent (250 Ok)");
    say_long(fixture, AT "smtp[1]: AAAAA1: to=<c@x.test>, relay=none, dsn=2.0.0, status=sent (250 ", ")");
    say_long(fixture, AT "smtpd[1]: AAAAA1: client=x, orig_queue_id=", "");
    say_long(fixture, "Nov 21 07:01:10 ", " postfix/qmgr[1]: AAAAA1: from=<a@x>, status=expired, returned");
    assert_string_equal(buf_text(&fixture->records), "delivered AAAAA1 to=c@x.test\ndelivered AAAAA1 to=c@x.test\n"
                                                     "delivered AAAAA1 to=c@x.test\nexpired AAAAA1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mail_of_others_is_left_out_with_its_copies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_mail_is_followed_under_its_next_queue_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tls_goes_with_the_process_and_its_server, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_of_sendmails_recipients_has_a_record, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whatever_a_line_holds_can_be_spooled, set_up, tear_down),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
