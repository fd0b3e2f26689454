/* SPDX-License-Identifier: BSD-2-Clause */
/* records as lines: every kind, quoting, kinds of another version, bytes that are no record */

#include "common/record.h"
#include "ctl/record_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct buf payload, line;

static int setup(void **state)
{
    (void)state;
    buf_init(&payload, RECORD_BYTES_MAX);
    buf_init(&line, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_free(&payload);
    buf_free(&line);
    return 0;
}

static const char *text_of(enum record_kind kind)
{
    struct spool_record record = {.position = 64, .kind = (uint8_t)kind, .version = 1, .payload = buf_slice(&payload)};

    record_text_add(&line, &record);
    assert_false(line.failed);
    return buf_text(&line);
}

static void a_hit(void **state)
{
    struct record_hit hit = {
        .kind = HIT_CLICK, .message = 7, .recipient = 0xabc, .index = 2, .time_us = 1600000000000001, .verdict = VERDICT_HUMAN,
        .reason = slice_str("link"), .address = {192, 0, 2, 1}, .address_bytes = 4, .user_agent = slice_str("A \"b\"\\\n")};

    (void)state;
    record_hit_encode(&hit, &payload);
    assert_string_equal(text_of(RECORD_HIT),
                        "position=64 kind=hit time=2020-09-13T12:26:40.000001Z of=click message=7 recipient=00000abc link=2 "
                        "verdict=human reason=link address=192.0.2.1 agent=\"A \\\"b\\\"\\\\\\x0a\"");
}

/* A User-Agent is a stranger's: CSI in one byte and as U+009B, half a character, and letters that may stay. */
static void a_terminal_is_told_nothing(void **state)
{
    struct record_hit hit = {.kind = HIT_VIEW, .message = 7, .time_us = 1600000000000000,
                             .user_agent = slice_str("a\x9b" "2J \xc2\x9b" "2J \x1b[2J \xe2\x82 \xc3\xbc")};

    (void)state;
    record_hit_encode(&hit, &payload);
    assert_non_null(strstr(text_of(RECORD_HIT), " agent=\"a\\x9b2J \\xc2\\x9b2J \\x1b[2J \\xe2\\x82 \xc3\xbc\""));
}

static void a_hit_without_a_person(void **state)
{
    struct record_hit hit = {.kind = HIT_VIEW, .message = 7, .time_us = 1600000000000000};

    (void)state;
    record_hit_encode(&hit, &payload);
    assert_string_equal(text_of(RECORD_HIT), "position=64 kind=hit time=2020-09-13T12:26:40.000000Z of=view message=7 verdict=unknown");
}

static void a_message(void **state)
{
    struct record_recipient to[] = {{slice_str("a@example.org"), 5}, {slice_str("b@example.org"), 6}};
    struct record_link link = {1, slice_str("https://example.com/?a=b")};
    struct record_message message = {
        .id = 9, .time_us = 1600000000000000, .level = LEVEL_INDIVIDUAL, .pixels = 1, .size = 1234, .owner = slice_str("o@example.com"),
        .subject = slice_str("Hello you"), .recipient = to, .recipients = 2, .link = &link, .links = 1, .sent_to = 2};
    const char *text;

    (void)state;
    record_message_encode(&message, &payload);
    text = text_of(RECORD_MESSAGE);
    assert_non_null(strstr(text, " message=9 level=individual pixels=1 size=1234 owner=o@example.com subject=\"Hello you\" sent_to=2 "
                                 "recipient=a@example.org recipient=b@example.org link=\"https://example.com/?a=b\""));
}

static void an_answer_and_a_stop(void **state)
{
    struct record_answer answer = {.message = 9, .time_us = 1, .class_ = ANSWER_REPLY, .from = slice_str("a@example.org")};
    struct record_stop stop = {.message = 9, .time_us = 1, .class_ = ANSWER_AUTO_REPLY, .until_us = 1600000000000000};

    (void)state;
    record_answer_encode(&answer, &payload);
    assert_non_null(strstr(text_of(RECORD_ANSWER), " message=9 class=reply rung=none "));
    buf_reset(&payload);
    buf_reset(&line);
    answer.class_ = ANSWER_BOUNCE;
    answer.about = slice_str("b@example.org");
    answer.status = slice_str("5.1.1");
    answer.hard = HARD_YES;
    record_answer_encode(&answer, &payload);
    assert_non_null(strstr(text_of(RECORD_ANSWER), " about=b@example.org status=5.1.1 hard=yes effect=no digest=0000"));
    buf_reset(&payload);
    buf_reset(&line);
    record_stop_encode(&stop, &payload);
    assert_non_null(strstr(text_of(RECORD_STOP), " class=auto_reply others=no until=2020-09-13T12:26:40.000000Z digest=0000"));
}

static void what_the_log_said_and_who_wants_no_more(void **state)
{
    struct record_delivery delivery = {.state = DELIVERY_BOUNCED, .time_us = 1, .queue_id = slice_str("4F2A1"),
                                       .recipient = slice_str("a@example.org"), .text = slice_str("no such user")};
    struct record_unsubscribe unsubscribe = {.message = 9, .time_us = 1, .way = UNSUBSCRIBE_WEB, .recipient = 7};
    struct record_copy copy = {.message = 9, .recipient = {slice_str("a@example.org"), 7}};

    (void)state;
    record_delivery_encode(&delivery, &payload);
    assert_non_null(strstr(text_of(RECORD_DELIVERY), " state=bounced queue_id=4F2A1 recipient=a@example.org "
                                                     "text=\"no such user\" tls=unknown"));
    buf_reset(&payload);
    buf_reset(&line);
    record_unsubscribe_encode(&unsubscribe, &payload);
    assert_non_null(strstr(text_of(RECORD_UNSUBSCRIBE), " message=9 recipient=00000007 way=web everywhere=no"));
    buf_reset(&payload);
    buf_reset(&line);
    record_copy_encode(&copy, &payload);
    assert_string_equal(text_of(RECORD_COPY), "position=64 kind=copy message=9 recipient=a@example.org");
}

static void who_was_refused(void **state)
{
    struct record_refusal refusal = {.time_us = 1, .campaign = slice_str("spring"), .address = slice_str("a@example.org"),
                                     .reason = slice_str("reply"), .subject = slice_str("Hello you")};

    (void)state;
    record_refusal_encode(&refusal, &payload);
    assert_non_null(strstr(text_of(RECORD_REFUSED), " kind=refusal time=1970-01-01T00:00:00.000001Z message=0 campaign=spring "
                                                    "address=a@example.org reason=reply subject=\"Hello you\" digest=0000"));
}

static void what_is_not_known(void **state)
{
    (void)state;
    buf_add_str(&payload, "abc");
    assert_string_equal(text_of((enum record_kind)200), "position=64 kind=200 bytes=3");
    buf_reset(&line);
    assert_string_equal(text_of(RECORD_MESSAGE), "position=64 kind=message unreadable=3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_hit, setup, teardown),
        cmocka_unit_test_setup_teardown(a_terminal_is_told_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hit_without_a_person, setup, teardown),
        cmocka_unit_test_setup_teardown(a_message, setup, teardown),
        cmocka_unit_test_setup_teardown(an_answer_and_a_stop, setup, teardown),
        cmocka_unit_test_setup_teardown(what_the_log_said_and_who_wants_no_more, setup, teardown),
        cmocka_unit_test_setup_teardown(who_was_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_not_known, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
