/* SPDX-License-Identifier: BSD-2-Clause */
/* lines of mail logs as Postfix and Sendmail write them, and the servers they name */

#include "delivery/line_read.h"
#include "delivery/relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])
#define AT "Nov 21 07:01:10 mail "

static void add(struct buf *out, const char *name, struct slice value)
{
    if (!slice_empty(value))
        buf_add_f(out, " %s=%.*s", name, SLICE_ARG(value));
}

/* What was read, as words. */
static const char *read_as(const char *text, struct buf *out)
{
    static const char *const kinds[] = {"other", "from", "copy", "attempt", "expired", "removed", "tls"};
    static const char *const states[] = {"none", "delivered", "deferred", "bounced"};
    struct log_line line;

    line_read(slice_str(text), &line);
    buf_reset(out);
    buf_add_str(out, kinds[line.kind]);
    if (line.kind == LINE_OTHER)
        return buf_text(out);
    add(out, "id", line.queue_id);
    add(out, "sender", line.sender);
    add(out, "first", line.first);
    add(out, "to", line.recipient);
    add(out, "original", line.original);
    add(out, "relay", line.relay);
    add(out, "status", line.status);
    if (line.kind == LINE_ATTEMPT)
        buf_add_f(out, " %s", states[line.state]);
    add(out, "text", line.text);
    return buf_text(out);
}

struct reading {
    const char *line, *read;
};

static void check(const struct reading *cases, size_t count)
{
    struct buf out;

    buf_init(&out, 4096);
    for (size_t n = 0; n < count; n++)
        assert_string_equal(read_as(cases[n].line, &out), cases[n].read);
    buf_free(&out);
}

static void postfix_lines_are_read(void **state)
{
    static const struct reading cases[] = {
        {AT "postfix/smtp[24567]: C9E76A80684: to=<bob@example.net>, relay=mx.example.net[192.0.2.1]:25, delay=0.03, "
            "delays=0.01/0.01/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as CE240A80687)",
         "attempt id=C9E76A80684 to=<bob@example.net> relay=mx.example.net[192.0.2.1]:25 status=2.0.0 delivered "
         "text=250 2.0.0 Ok: queued as CE240A80687"},
        {"2026-11-21T07:01:10.5+01:00 mail postfix-out/smtp[7]: 4bXyz1234Az9: to=<b@x>, orig_to=<team@y>, relay=none, "
         "delay=3, delays=3/0/0/0, dsn=4.4.1, status=deferred (connect to x[192.0.2.9]:25: Connection refused)",
         "attempt id=4bXyz1234Az9 to=<b@x> original=team@y relay=none status=4.4.1 deferred "
         "text=connect to x[192.0.2.9]:25: Connection refused"},
        {AT "postfix/smtp[7]: AAAAA1: to=<b@x>, relay=x[192.0.2.1]:25, delay=1, dsn=5.1.1, status=bounced (host x said: "
            "550 5.1.1 <b@x>: status=sent (I lie, to=<c@x>) (in reply to RCPT TO command))",
         "attempt id=AAAAA1 to=<b@x> relay=x[192.0.2.1]:25 status=5.1.1 bounced text=host x said: 550 5.1.1 <b@x>: "
         "status=sent (I lie, to=<c@x>) (in reply to RCPT TO command)"},
        {AT "postfix/local[7]: AAAAA1: to=<b@x>, relay=local, delay=1, dsn=2.0.0, status=sent (forwarded as BBBBB2)",
         "attempt id=AAAAA1 to=<b@x> relay=local status=2.0.0 delivered text=forwarded as BBBBB2"},
        {AT "postfix/virtual[7]: AAAAA1: to=<\"odd, >b\"@x>, relay=virtual, dsn=2.0.0, status=sent (delivered to maildir)",
         "attempt id=AAAAA1 to=<\"odd, >b\"@x> relay=virtual status=2.0.0 delivered text=delivered to maildir"},
        {AT "postfix/error[7]: AAAAA1: to=<b@x>, relay=none, dsn=4.7.1, status=SOFTBOUNCE (no)",
         "attempt id=AAAAA1 to=<b@x> relay=none status=4.7.1 deferred text=no"},
        {AT "postfix/smtp[7]: AAAAA1: to=<b@x>, relay=none, dsn=2.1.5, status=deliverable (250)", "other"},
        {AT "postfix/qmgr[7]: AAAAA1: from=<a@x>, size=3721, nrcpt=1 (queue active)", "from id=AAAAA1 sender=a@x"},
        {AT "postfix/qmgr[7]: AAAAA1: from=<>, size=3721, nrcpt=1 (queue active)", "from id=AAAAA1"},
        {AT "postfix/qmgr[7]: AAAAA1: from=<a@x>, status=expired, returned to sender", "expired id=AAAAA1 sender=a@x"},
        {AT "postfix/qmgr[7]: AAAAA1: removed", "removed id=AAAAA1"},
        {AT "postfix/smtpd[7]: BBBBB2: client=a[127.0.0.1], orig_queue_id=AAAAA1, orig_client=b[192.0.2.1]",
         "copy id=BBBBB2 first=AAAAA1"},
        {AT "postfix/smtpd[7]: BBBBB2: client=a[127.0.0.1]", "other"},
        {AT "postfix/smtp[7]: Untrusted TLS connection established to mx.x[2001:db8::1]:25: TLSv1.3 with cipher X",
         "tls relay=mx.x[2001:db8::1]:25"},
        {AT "postfix/cleanup[7]: AAAAA1: message-id=<x, to=<y>, status=sent (z)>", "other"},
        {AT "dovecot[7]: AAAAA1: to=<b@x>, status=sent (x)", "other"},
        {AT "postfix/smtp[7]: no: to=<b@x>, status=sent (x)", "other"},
        {"<22>1 2026-11-21T07:01:10Z mail postfix/qmgr 77 - - AAAAA1: removed", "removed id=AAAAA1"},
        {"Nov 21 mail postfix/qmgr[7]: AAAAA1: removed", "other"},
        {"", "other"},
        {"Nov 21 07:01:10", "other"},
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void sendmail_lines_are_read(void **state)
{
    static const struct reading cases[] = {
        {AT "sm-mta[7]: 4AL71Ab0012345: to=<b@x>,<c@x>, ctladdr=<a@y> (0/0), delay=00:00:01, xdelay=00:00:00, "
            "mailer=esmtp, pri=60319, relay=mx.x. [192.0.2.1], dsn=2.0.0, stat=Sent (ok: queued as 123)",
         "attempt id=4AL71Ab0012345 to=<b@x>,<c@x> relay=mx.x. [192.0.2.1] status=2.0.0 delivered text=ok: queued as 123"},
        {AT "sendmail[7]: 4AL71Ab0012345: to=<b@x>, delay=00:00:01, mailer=esmtp, relay=mx.x., dsn=4.0.0, "
            "stat=Deferred: Connection refused by mx.x.",
         "attempt id=4AL71Ab0012345 to=<b@x> relay=mx.x. status=4.0.0 deferred text=Connection refused by mx.x."},
        {AT "sm-mta[7]: 4AL71Ab0012345: to=<b@x>, mailer=esmtp, relay=mx.x., dsn=5.1.1, stat=User unknown",
         "attempt id=4AL71Ab0012345 to=<b@x> relay=mx.x. status=5.1.1 bounced text=User unknown"},
        {AT "sm-mta[7]: 4AL71Ab0012345: to=<b@x>, mailer=esmtp, pri=30319, stat=queued", "other"},
        {AT "sm-mta[7]: 4AL71Ab0012345: from=<a@y>, size=319, class=0, nrcpts=1", "from id=4AL71Ab0012345 sender=a@y"},
        {AT "sm-mta[7]: starting daemon (8.17.1)", "other"},
        /* as Debian's 8.17.1.9 writes them */
        {AT "sm-mta[19658]: 6AL8inpv019658: to=ok-b@example.net,ok-a@example.net, ctladdr=a@example.com (0/0), delay=00:00:01, "
            "xdelay=00:00:01, mailer=relay, pri=60041, relay=[127.0.0.1] [127.0.0.1], dsn=2.0.0, stat=Sent (2.0.0 Ok)",
         "attempt id=6AL8inpv019658 to=ok-b@example.net,ok-a@example.net relay=[127.0.0.1] [127.0.0.1] status=2.0.0 delivered "
         "text=2.0.0 Ok"},
        {AT "sm-mta[19663]: 6AL8iofo019663: to=nobody-a@example.net, ctladdr=a@example.com (0/0), delay=00:00:00, "
            "xdelay=00:00:00, mailer=relay, pri=60041, relay=[127.0.0.1] [127.0.0.1], dsn=5.1.1, reply=550 5.1.1 "
            "<nobody-a@example.net> No such user, stat=User unknown",
         "attempt id=6AL8iofo019663 to=nobody-a@example.net relay=[127.0.0.1] [127.0.0.1] status=5.1.1 bounced "
         "text=550 5.1.1 <nobody-a@example.net> No such user"},
        {AT "sm-mta[19675]: 6AL8ioZL019675: to=later-a@example.net, ctladdr=a@example.com (0/0), delay=00:00:00, "
            "xdelay=00:00:00, mailer=relay, pri=30041, relay=[127.0.0.1] [127.0.0.1], dsn=4.3.0, reply=451 4.7.1 Greylisted, "
            "stat=Deferred: 451 4.7.1 Greylisted",
         "attempt id=6AL8ioZL019675 to=later-a@example.net relay=[127.0.0.1] [127.0.0.1] status=4.7.1 deferred "
         "text=451 4.7.1 Greylisted"},
        {AT "sm-mta[19679]: 6AL8ioU5019679: to=spam-a@example.net, mailer=relay, pri=30041, relay=[127.0.0.1] [127.0.0.1], "
            "dsn=5.0.0, reply=554 no, stat=Sent (I lie), stat=Service unavailable",
         "attempt id=6AL8ioU5019679 to=spam-a@example.net relay=[127.0.0.1] [127.0.0.1] status=5.0.0 bounced text=554 no"},
        {AT "sm-mta[19663]: 6AL8iofo019663: 6AL8iofp019663: DSN: User unknown", "other"},
        {AT "sm-mta[7]: 6AL8iofo019663: 6AL8iofp019663: return to sender: User unknown", "other"},
        {AT "sm-mta[7]: 6AL8iofo019663: return to sender: User unknown", "other"},
        {AT "sm-mta[7]: 6AL8iofo019663: 6AL8iofp019663: sender notify: Warning: could not send message for past 4 hours", "other"},
        {AT "sm-mta[20304]: 6AL8ioJL019699: 6AL8isWY020304: DSN: Cannot send message for 3 seconds", "expired id=6AL8ioJL019699"},
    };

    (void)state;
    check(cases, LENGTH(cases));
}

static void recipients_are_taken_one_by_one(void **state)
{
    struct slice list = slice_str("<a@x>,<\"odd,>\"@x>,b"), address;

    (void)state;
    assert_true(line_next_recipient(&list, &address) && slice_is(address, "a@x"));
    assert_true(line_next_recipient(&list, &address) && slice_is(address, "\"odd,>\"@x"));
    list = slice_str("<b@x>,c");
    assert_true(line_next_recipient(&list, &address) && slice_is(address, "b@x"));
    assert_true(line_next_recipient(&list, &address) && slice_is(address, "c"));
    assert_false(line_next_recipient(&list, &address));
    list = slice_str("<never closed");
    assert_false(line_next_recipient(&list, &address));
}

static void a_mail_that_goes_on_here_tells_its_next_id(void **state)
{
    (void)state;
    assert_true(slice_is(line_goes_on_as(slice_str("250 2.0.0 Ok: queued as CE240A80687")), "CE240A80687"));
    assert_true(slice_is(line_goes_on_as(slice_str("forwarded as 4bXyz1234Az9")), "4bXyz1234Az9"));
    assert_true(slice_empty(line_goes_on_as(slice_str("queued as <x@y>"))));
    assert_true(slice_empty(line_goes_on_as(slice_str("250 Ok"))));
}

static void relays_are_taken_apart(void **state)
{
    static const struct {
        const char *text, *host, *address;
    } cases[] = {
        {"mx.example.net[192.0.2.1]:25", "mx.example.net", "192.0.2.1"},
        {"mx.x. [192.0.2.1]", "mx.x", "192.0.2.1"},
        {"mx.x[2001:db8::1]:25", "mx.x", "2001:db8::1"},
        {"mx.x. [IPv6:2001:db8::1]", "mx.x", "2001:db8::1"},
        {"[192.0.2.1] [192.0.2.1]", "192.0.2.1", "192.0.2.1"},
        {"mx.x[private/dovecot-lmtp]", "mx.x", ""},
        {"local", "", ""},
        {"none", "", ""},
        {"", "", ""},
    };

    (void)state;
    for (size_t n = 0; n < LENGTH(cases); n++) {
        struct relay relay = relay_of(slice_str(cases[n].text));

        assert_true(slice_is(relay.host, cases[n].host));
        assert_true(slice_is(relay.address, cases[n].address));
    }
}

static void assigned_ids_are_message_ids_only(void **state)
{
    static const char ses[] = "250 Ok 010f0193c5a1b2c3-0a1b2c3d-1111-2222-3333-444455556666-000000";
    static const struct {
        const char *relay, *answer, *id;
    } cases[] = {
        {"email-smtp.eu-west-1.amazonaws.com[192.0.2.1]:587", ses,
         "010f0193c5a1b2c3-0a1b2c3d-1111-2222-3333-444455556666-000000@eu-west-1.amazonses.com"},
        {"email-smtp.us-east-1.amazonaws.com[192.0.2.1]:587", ses,
         "010f0193c5a1b2c3-0a1b2c3d-1111-2222-3333-444455556666-000000@email.amazonses.com"},
        {"mx.x[192.0.2.1]:25", ses, ""},
        {"x.mail.protection.outlook.com[192.0.2.1]:25",
         "250 2.6.0 <AB1@eurprd01.prod.outlook.com> [InternalId=1, Hostname=X] Queued mail for delivery",
         "AB1@eurprd01.prod.outlook.com"},
        {"mx.x[192.0.2.1]:25", "250 2.0.0 <bob@example.net> xyz Saved", ""},
        {"mx.x[192.0.2.1]:25", "250 2.0.0 Ok: queued as CE240A80687", ""},
        {"mx.x[192.0.2.1]:25", "250 <not an id@x> <@x> <x@>", ""},
    };
    struct buf id;

    (void)state;
    buf_init(&id, 1000);
    for (size_t n = 0; n < LENGTH(cases); n++) {
        struct relay relay = relay_of(slice_str(cases[n].relay));

        buf_reset(&id);
        assert_int_equal(relay_assigned_id(&relay, slice_str(cases[n].answer), slice_str("Bob@example.net"), &id),
                         cases[n].id[0] != '\0');
        assert_string_equal(buf_text(&id), cases[n].id);
    }
    buf_free(&id);
}

static int64_t time_of(const char *text, int64_t now_us)
{
    struct slice rest = slice_str(text);
    struct log_time time;

    return log_time_take(&rest, &time) ? log_time_us(&time, now_us) : -1;
}

static void times_get_their_year_and_zone(void **state)
{
    const int64_t s = 1000000, november = 1795244470 * s; /* 2026-11-21 07:01:10 UTC */

    (void)state;
    assert_int_equal(time_of("2026-11-21T07:01:10Z x", 0), november);
    assert_int_equal(time_of("2026-11-21T08:01:10.25+01:00 x", 0), november + s / 4);
    assert_int_equal(time_of("2026-11-21T02:31:10.123456789-0430 x", 0), november + 123456);
    assert_int_equal(time_of("Nov 21 07:01:10 x", november), november);
    assert_int_equal(time_of("Nov 21 07:01:10 x", november + 200 * 86400 * s), november);
    assert_int_equal(time_of("Nov 21 07:01:10 x", november - 3600 * s), november);
    assert_int_equal(time_of("Jan  1 00:00:05 x", 1798761599 * s /* a second before 2027 */), 1798761605 * s);
    assert_int_equal(time_of("2026-11-21 07:01:10 x", 0), november);
    assert_int_equal(time_of("Nov 31x07:01:10 x", 0), -1);
    assert_int_equal(time_of("Nov  1 24:01:10 x", 0), -1);
    assert_int_equal(time_of("2026-13-21T07:01:10Z x", 0), -1);
    assert_int_equal(time_of("Nov", 0), -1);
}

static void an_hour_is_asked_for_once(void **state)
{
    const int64_t now = 1795244470 * (int64_t)1000000;
    static const char *const texts[] = {"Nov 21 07:01:10 x", "Nov 21 07:59:59 x", "Nov 21 08:00:00 x", "Nov 20 08:00:01 x",
                                        "2026-11-20T08:00:02.5Z x", "2026-11-20T08:00:03+02:00 x"};
    struct log_hour hour = {.begins_us = 0};

    (void)state;
    for (size_t n = 0; n < LENGTH(texts); n++) {
        struct slice text = slice_str(texts[n]);
        struct log_time time;

        assert_true(log_time_take(&text, &time));
        assert_int_equal(log_hour_us(&hour, &time, now), log_time_us(&time, now));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(postfix_lines_are_read),
        cmocka_unit_test(sendmail_lines_are_read),
        cmocka_unit_test(recipients_are_taken_one_by_one),
        cmocka_unit_test(a_mail_that_goes_on_here_tells_its_next_id),
        cmocka_unit_test(relays_are_taken_apart),
        cmocka_unit_test(assigned_ids_are_message_ids_only),
        cmocka_unit_test(times_get_their_year_and_zone),
        cmocka_unit_test(an_hour_is_asked_for_once),
    };

    setenv("TZ", "UTC", 1);
    tzset();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
