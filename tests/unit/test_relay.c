/* SPDX-License-Identifier: BSD-2-Clause */
/* what spoor-relay decides and writes without anybody at the other end */

#include "relay/backoff.h"
#include "relay/notice.h"
#include "relay/peer.h"
#include "relay/salesforce_task.h"
#include "relay/signature.h"
#include "relay/soql.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static bool may_be(const char *address, const struct network_list *allowed)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } peer = {0};
    const char *why;

    if (inet_pton(AF_INET, address, &peer.four.sin_addr) == 1)
        peer.any.sa_family = AF_INET;
    else if (inet_pton(AF_INET6, address, &peer.six.sin6_addr) == 1)
        peer.any.sa_family = AF_INET6;
    else
        fail_msg("%s is no address", address);
    return peer_may_be(&peer.any, allowed, &why);
}

static void only_public_addresses_are_asked(void **state)
{
    static const char *const good[] = {"1.1.1.1", "93.184.216.34", "172.32.0.1", "11.0.0.1", "2606:4700::1111", "2a00:1450::1"};
    static const char *const bad[] = {"127.0.0.1", "127.255.255.254", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
                                      "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "198.18.0.1",
                                      "::1", "::", "fe80::1", "fc00::1", "fdff::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:1.1.1.1",
                                      "64:ff9b::7f00:1", "64:ff9b::101:101", "64:ff9b:1::1", "::7f00:1", "2002:7f00:1::", "2001::1",
                                      "2001:db8::1"};
    static char *const texts[] = {(char *)(uintptr_t)"10.0.0.0/8", (char *)(uintptr_t)"fd00::/8", (char *)(uintptr_t)"192.168.1.1"};
    struct network_list none = {0}, some;

    (void)state;
    for (size_t n = 0; n < sizeof good / sizeof *good; n++)
        if (!may_be(good[n], &none))
            fail_msg("%s is refused", good[n]);
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (may_be(bad[n], &none))
            fail_msg("%s is not refused", bad[n]);
    assert_true(network_list_parse(&some, texts, 3));
    assert_true(may_be("10.1.2.3", &some) && may_be("fd12::1", &some) && may_be("192.168.1.1", &some));
    assert_false(may_be("192.168.1.2", &some) || may_be("fc00::1", &some) || may_be("127.0.0.1", &some));
    network_list_free(&some);
}

static void waits_double_and_are_spread(void **state)
{
    (void)state;
    assert_int_equal(backoff_ms(1, 1000, 3600000, 0), 1000);
    assert_int_equal(backoff_ms(2, 1000, 3600000, 0), 2000);
    assert_int_equal(backoff_ms(5, 1000, 3600000, 0), 16000);
    assert_int_equal(backoff_ms(5, 1000, 3600000, 255), 12000);
    assert_int_equal(backoff_ms(1000000, 1000, 3600000, 0), 3600000);
    assert_int_equal(backoff_ms(3, 5000, 1000, 0), 1000);
}

static void foreign_texts_cannot_leave_a_literal(void **state)
{
    static const char *const texts[] = {"a@b.example", "A@B.example", "", "x' OR Name LIKE '%", "back\\slash", "line\nbreak"};
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    assert_true(soql_add_in(&out, texts, 6));
    assert_string_equal(buf_text(&out), " IN ('a@b.example','x\\' OR Name LIKE \\'%','back\\\\slash','line\\u000Abreak')");
    buf_reset(&out);
    assert_false(soql_add_in(&out, texts + 2, 1));
    buf_free(&out);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

/* The example of the convention itself. */
static void a_signature_is_as_the_convention_says(void **state)
{
    static const struct {
        const char *file;
        bool good;
    } rows[] = {{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n", true}, {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true}, {"whsec_c2hvcnQ=", false},
                {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa!w", false}, {"", false}, {"whsec_", false}};
    struct signature_secret secret;
    char path[] = "/tmp/spoor-secret-XXXXXX";
    struct buf out, why;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    buf_init(&out, 1000);
    buf_init(&why, 1000);
    for (size_t n = 0; n < sizeof rows / sizeof *rows; n++) {
        write_file(path, rows[n].file);
        assert_int_equal(signature_secret_read(path, &secret, &why), rows[n].good);
        if (!rows[n].good)
            continue;
        buf_reset(&out);
        assert_true(signature_hmac(&secret, slice_str("msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{\"test\": 2432232314}"), &out));
        assert_string_equal(buf_text(&out), "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
    assert_null(strstr(buf_text(&why), "c2hvcnQ"));
    unlink(path);
    assert_false(signature_secret_read(path, &secret, &why));
    assert_null(signature_key_read(path, &why));
    buf_free(&out);
    buf_free(&why);
}

#define ITEM(what, more)                                                                                      \
    "{\"id\":\"k1\",\"what\":\"" what "\",\"at\":\"2026-11-30T10:00:00.000000Z\",\"person\":\"bob@there.test\"," \
    "\"to\":\"alice@example.com\",\"message\":{\"subject\":\"\xC3\x84nderung\"}" more "}"

static void a_notice_is_a_mail_that_no_program_answers(void **state)
{
    struct event event;
    struct buf out;

    (void)state;
    buf_init(&out, 10000);
    assert_true(event_read(ITEM("view", ",\"gap\":true"), &event));
    assert_true(notice_write(&event, "spoor@example.com", 0, &out));
    for (size_t at = 0; at < out.len; at++)
        assert_true((unsigned char)out.data[at] < 0x80 && (out.data[at] != '\n' || out.data[at - 1] == '\r'));
    assert_non_null(strstr(out.data, "From: Spoor <spoor@example.com>\r\nTo: <alice@example.com>\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
                                     "Subject: =?utf-8?Q?=62=6F=62=40=74=68=65=72=65=2E=74=65=73=74=20?=\r\n =?utf-8?Q?"));
    assert_non_null(strstr(out.data, "\r\nAuto-Submitted: auto-generated\r\n"));
    assert_non_null(strstr(out.data, "\r\nX-Spoor-Track: off\r\n"));
    assert_non_null(strstr(out.data, "\r\nMessage-ID: <k1.notice@example.com>\r\n"));
    assert_non_null(strstr(out.data, "bob@there.test viewed \"=C3=84nderung\"\r\n\r\n2026-11-30 10:00 UTC\r\n"));
    assert_non_null(strstr(out.data, "Something that happened before"));
    event_free(&event);
    buf_free(&out);
}

static void what_is_no_item_is_no_event(void **state)
{
    static const char *const bad[] = {"", "[]", "{}", "{\"id\":\"x\"}", "{\"id\":1,\"what\":\"x\"}", "{\"id\":\"x\",\"what\":\"y\"",
                                      "{\"id\":\"x\",\"id\":\"y\",\"what\":\"z\"}",
                                      "{\"id\":\"x\\r\\nBcc: y\",\"what\":\"z\"}", "{\"id\":\"\xC3\xA4\",\"what\":\"z\"}"};
    struct event event;

    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++)
        if (event_read(bad[n], &event))
            fail_msg("took: %s", bad[n]);
    assert_true(event_read("{\"id\":\"x\",\"what\":\"sent\",\"recipients\":[\"a@b.c\",\"one of 3\",\"d@e.f\"]}", &event));
    assert_int_equal(event.addresses, 2);
    event_free(&event);
}

/* An emoji counts twice, and is never cut in two. */
static void a_subject_has_255_characters_as_salesforce_counts(void **state)
{
    static const char emoji[] = "\xF0\x9F\x98\x80";
    const struct salesforce_task_form form = {0};
    const struct conf_sink sink = {0};
    struct salesforce_person nobody = {0};
    struct parcel parcel = {0};
    struct buf subject, item;
    char *task;

    (void)state;
    buf_init(&item, 10000);
    buf_init(&subject, 10000);
    buf_add_str(&item, "{\"id\":\"x\",\"what\":\"reply\",\"at\":\"2026-11-30T10:00:00Z\",\"message\":{\"subject\":\"");
    buf_add_str(&subject, "\"Subject\":\"Reply: ");
    for (int n = 0; n < 300; n++)
        buf_add_str(&item, emoji);
    for (int n = 0; n < 124; n++)
        buf_add_str(&subject, emoji);
    buf_add_str(&item, "\"}}");
    buf_add_str(&subject, "\"");
    assert_true(event_read(buf_text(&item), &parcel.event));
    task = salesforce_task_write(&sink, &form, &parcel, &nobody, 1);
    assert_non_null(task);
    assert_non_null(strstr(task, buf_text(&subject)));
    free(task);
    event_free(&parcel.event);
    buf_free(&item);
    buf_free(&subject);
}

static void answers_of_salesforce_are_told_apart(void **state)
{
    static const char body[] =
        "[{\"id\":\"00T1\",\"success\":true,\"errors\":[],\"created\":true},"
        "{\"success\":false,\"errors\":[{\"statusCode\":\"UNABLE_TO_LOCK_ROW\",\"message\":\"m\"}]},"
        "{\"success\":false,\"errors\":[{\"statusCode\":\"STRING_TOO_LONG\",\"message\":\"m\"}]}]";
    struct salesforce_person people[4] = {[1] = {.skip = true}};
    struct parcel parcels[4] = {{.outcome = PARCEL_LATER}};

    (void)state;
    assert_true(salesforce_task_take(slice_str(body), parcels, people, 4));
    assert_true(parcels[0].outcome == PARCEL_SENT && parcels[1].outcome == PARCEL_LATER);
    assert_true(parcels[2].outcome == PARCEL_AGAIN && parcels[3].outcome == PARCEL_DEAD);
    assert_string_equal(parcels[0].result, "00T1");
    assert_string_equal(parcels[3].result, "STRING_TOO_LONG: m");
    assert_false(salesforce_task_take(slice_str(body), parcels, people, 3));
    assert_false(salesforce_task_take(slice_str("<html>"), parcels, people, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_public_addresses_are_asked),      cmocka_unit_test(waits_double_and_are_spread),
        cmocka_unit_test(foreign_texts_cannot_leave_a_literal), cmocka_unit_test(a_signature_is_as_the_convention_says),
        cmocka_unit_test(a_notice_is_a_mail_that_no_program_answers), cmocka_unit_test(what_is_no_item_is_no_event),
        cmocka_unit_test(a_subject_has_255_characters_as_salesforce_counts), cmocka_unit_test(answers_of_salesforce_are_told_apart),
    };

    return cmocka_run_group_tests_name("relay", tests, NULL, NULL);
}
