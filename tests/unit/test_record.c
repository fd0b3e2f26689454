/* SPDX-License-Identifier: BSD-2-Clause */
/* records: what goes in comes out; short, long and unknown bytes are refused; the checksum of the spool */

#include "common/crc32c.h"
#include "common/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CAP = 1 << 20 };

static struct record_recipient recipients[] = {{{"ann@example.net", 15}, 7},
                                               {{"bob@example.org", 15}, 0xFFFFFFFF}};
static struct record_link links[] = {{1, {"https://example.com/a", 21}}, {65535, {"http://b.example/", 17}}};

static struct record_message sample_message(void)
{
    return (struct record_message){
        .id = UINT64_C(0x0123456789ABCDEF),
        .time_us = -5,
        .level = LEVEL_INDIVIDUAL,
        .pixels = 2,
        .sent_to = 70000,
        .size = UINT64_C(5000000000),
        .owner = slice_str("owner@example.com"),
        .sender = slice_str("sender@example.com"),
        .envelope_sender = slice_str("bounce@example.com"),
        .subject = slice_str("Gr\xC3\xBC\xC3\x9F"
                             "e"),
        .sent_message_id = slice_str("signed@example.com"),
        .client_message_id = slice_str("own@example.com"),
        .campaign = slice_str("spring"),
        .host = slice_str("mx1"),
        .queue_id = slice_str("4XyZ"),
        .recipient = recipients,
        .recipients = 2,
        .link = links,
        .links = 2,
    };
}

/* PAYLOAD tells this time, and a beginning of it that is too short tells none. */
static void assert_time(enum record_kind kind, struct slice payload, int64_t expected)
{
    int64_t time_us = 0;

    assert_true(record_time((uint8_t)kind, payload, &time_us));
    assert_int_equal(time_us, expected);
    assert_false(record_time((uint8_t)kind, slice_of(payload.p, 8), &time_us));
    assert_false(record_time(0, payload, &time_us));
    assert_false(record_time(200, payload, &time_us));
}

static void a_delivery_comes_back(void **state)
{
    struct record_delivery in = {
        .state = DELIVERY_DEFERRED, .time_us = 1600000000000000, .host = slice_str("mx"), .queue_id = slice_str("4F2A1"),
        .first = slice_str("F"), .recipient = slice_str("r"), .original = slice_str("o"), .relay = slice_str("l"),
        .relay_address = slice_str("192.0.2.1"), .status = slice_str("4.2.0"), .text = slice_str("later"),
        .goes_on_as = slice_str("N"), .assigned_id = slice_str("i@d"), .tls = true}, out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_delivery_encode(&in, &buf) && record_delivery_decode(buf_slice(&buf), &out));
    assert_time(RECORD_DELIVERY, buf_slice(&buf), in.time_us);
    assert_true(out.state == in.state && out.tls && slice_is(out.host, "mx") && slice_is(out.queue_id, "4F2A1"));
    assert_true(slice_is(out.first, "F") && slice_is(out.recipient, "r") && slice_is(out.original, "o"));
    assert_true(slice_is(out.relay, "l") && slice_is(out.relay_address, "192.0.2.1") && slice_is(out.status, "4.2.0"));
    assert_true(slice_is(out.text, "later") && slice_is(out.goes_on_as, "N") && slice_is(out.assigned_id, "i@d"));
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_delivery_decode(slice_of(buf.data, len), &out));
    buf_free(&buf);
}

static void a_message_comes_back(void **state)
{
    struct record_message in = sample_message(), out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_message_encode(&in, &buf));
    assert_true(record_message_decode(buf_slice(&buf), &out));
    assert_time(RECORD_MESSAGE, buf_slice(&buf), out.time_us);
    assert_true(out.id == in.id && out.time_us == in.time_us && out.size == in.size);
    assert_int_equal(out.level, in.level);
    assert_int_equal(out.pixels, in.pixels);
    assert_int_equal(out.sent_to, in.sent_to);
    assert_true(slice_eq(out.owner, in.owner) && slice_eq(out.sender, in.sender));
    assert_true(slice_eq(out.envelope_sender, in.envelope_sender) && slice_eq(out.subject, in.subject));
    assert_true(slice_eq(out.sent_message_id, in.sent_message_id));
    assert_true(slice_eq(out.client_message_id, in.client_message_id) && slice_eq(out.campaign, in.campaign));
    assert_true(slice_eq(out.host, in.host) && slice_eq(out.queue_id, in.queue_id));
    assert_int_equal(out.recipients, 2);
    assert_true(out.recipient[1].key == 0xFFFFFFFF &&
                slice_eq(out.recipient[1].address, recipients[1].address));
    assert_int_equal(out.links, 2);
    assert_true(out.link[1].index == 65535 && slice_eq(out.link[1].destination, links[1].destination));
    record_message_free(&out);
    buf_free(&buf);
}

static void every_prefix_of_a_message_is_refused(void **state)
{
    struct record_message in = sample_message(), out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_message_encode(&in, &buf));
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_message_decode(slice_of(buf.data, len), &out));
    buf_add_str(&buf, "what a newer version adds");
    assert_true(record_message_decode(buf_slice(&buf), &out));
    record_message_free(&out);
    buf_free(&buf);
}

static void a_hit_comes_back(void **state)
{
    struct record_hit in = {.kind = HIT_CLICK,
                            .message = 9,
                            .recipient = 8,
                            .index = 7,
                            .time_us = 1700000000000000,
                            .verdict = VERDICT_BOT,
                            .reason = slice_str("head"),
                            .address = {192, 0, 2, 1},
                            .address_bytes = 4,
                            .user_agent = slice_str("curl"),
                            .raw = slice_str("/c/x")};
    struct record_hit out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_hit_encode(&in, &buf));
    assert_true(record_hit_decode(buf_slice(&buf), &out));
    assert_time(RECORD_HIT, buf_slice(&buf), out.time_us);
    assert_int_equal(out.kind, HIT_CLICK);
    assert_true(out.message == 9 && out.recipient == 8 && out.index == 7 && out.time_us == in.time_us);
    assert_int_equal(out.verdict, VERDICT_BOT);
    assert_int_equal(out.address_bytes, 4);
    assert_memory_equal(out.address, in.address, 16);
    assert_true(slice_is(out.reason, "head") && slice_is(out.user_agent, "curl") &&
                slice_is(out.raw, "/c/x"));
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_hit_decode(slice_of(buf.data, len), &out));
    buf.data[0] = 99;
    assert_false(record_hit_decode(buf_slice(&buf), &out));
    buf_free(&buf);
}

static void an_answer_comes_back(void **state)
{
    struct record_answer in = {.message = 1,
                               .recipient = 2,
                               .time_us = 3,
                               .class_ = ANSWER_REPLY,
                               .rung = RUNG_QUOTED_URL,
                               .confidence = CONFIDENCE_LOW,
                               .answerer = ANSWERER_OTHER,
                               .answerer_key = 4,
                               .from = slice_str("f"),
                               .envelope_sender = slice_str("e"),
                               .subject = slice_str("s"),
                               .message_id = slice_str("m"),
                               .digest = {[31] = 0xAB},
                               .host = slice_str("h"),
                               .queue_id = slice_str("q"),
                               .about = slice_str("a"),
                               .status = slice_str("5.1.1"),
                               .hard = HARD_YES,
                               .effect = true};
    struct record_answer out;
    size_t first_version;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_answer_encode(&in, &buf));
    assert_true(record_answer_decode(buf_slice(&buf), &out));
    assert_time(RECORD_ANSWER, buf_slice(&buf), out.time_us);
    assert_true(out.message == 1 && out.recipient == 2 && out.time_us == 3 && out.answerer_key == 4);
    assert_true(out.class_ == ANSWER_REPLY && out.rung == RUNG_QUOTED_URL);
    assert_true(out.confidence == CONFIDENCE_LOW && out.answerer == ANSWERER_OTHER);
    assert_true(slice_is(out.from, "f") && slice_is(out.envelope_sender, "e") && slice_is(out.subject, "s"));
    assert_true(slice_is(out.message_id, "m") && slice_is(out.host, "h") && slice_is(out.queue_id, "q"));
    assert_memory_equal(out.digest, in.digest, 32);
    assert_true(slice_is(out.about, "a") && slice_is(out.status, "5.1.1") && out.hard == HARD_YES && out.effect);
    first_version = buf.len - (2 + 1) - (2 + 5) - 2;
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(record_answer_decode(slice_of(buf.data, len), &out), len == first_version);
    assert_true(record_answer_decode(slice_of(buf.data, first_version), &out));
    assert_true(slice_is(out.queue_id, "q") && slice_empty(out.about) && out.hard == HARD_UNKNOWN && !out.effect);
    buf.data[buf.len - 1] = 2;
    assert_false(record_answer_decode(buf_slice(&buf), &out));
    buf_free(&buf);
}

static void a_stop_comes_back(void **state)
{
    struct record_stop in = {.message = 1, .address = slice_str("a"), .recipient = 2, .class_ = ANSWER_BOUNCE, .others = true,
                             .time_us = 3, .until_us = 4, .digest = {[31] = 0xAB}};
    struct record_stop out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_stop_encode(&in, &buf));
    assert_true(record_stop_decode(buf_slice(&buf), &out));
    assert_time(RECORD_STOP, buf_slice(&buf), out.time_us);
    assert_true(out.message == 1 && out.recipient == 2 && out.time_us == 3 && out.until_us == 4 && out.others);
    assert_true(out.class_ == ANSWER_BOUNCE && slice_is(out.address, "a"));
    assert_memory_equal(out.digest, in.digest, 32);
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_stop_decode(slice_of(buf.data, len), &out));
    buf_free(&buf);
}

static void a_refusal_comes_back(void **state)
{
    struct record_refusal in = {.message = 1, .recipient = 2, .time_us = 3, .campaign = slice_str("c"), .address = slice_str("a"),
                                .reason = slice_str("reply"), .owner = slice_str("o"), .sender = slice_str("s"),
                                .subject = slice_str("t"), .message_id = slice_str("m"), .digest = {[31] = 0xAB},
                                .host = slice_str("h"), .queue_id = slice_str("q")};
    struct record_refusal out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_refusal_encode(&in, &buf));
    assert_time(RECORD_REFUSED, buf_slice(&buf), 3);
    assert_true(record_refusal_decode(buf_slice(&buf), &out));
    assert_true(out.message == 1 && out.recipient == 2 && out.time_us == 3);
    assert_true(slice_is(out.campaign, "c") && slice_is(out.address, "a") && slice_is(out.reason, "reply"));
    assert_true(slice_is(out.owner, "o") && slice_is(out.sender, "s") && slice_is(out.subject, "t"));
    assert_true(slice_is(out.message_id, "m") && slice_is(out.host, "h") && slice_is(out.queue_id, "q"));
    assert_memory_equal(out.digest, in.digest, 32);
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_refusal_decode(slice_of(buf.data, len), &out));
    buf_free(&buf);
}

static void an_unsubscribe_comes_back(void **state)
{
    struct record_unsubscribe in = {.message = 1, .recipient = 2, .time_us = 3, .way = UNSUBSCRIBE_MAIL, .everywhere = true,
                                    .address = slice_str("a")};
    struct record_unsubscribe out;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_unsubscribe_encode(&in, &buf));
    assert_true(record_unsubscribe_decode(buf_slice(&buf), &out));
    assert_true(out.message == 1 && out.recipient == 2 && out.time_us == 3);
    assert_true(out.way == UNSUBSCRIBE_MAIL && out.everywhere && slice_is(out.address, "a"));
    for (size_t len = 0; len < buf.len; len++)
        assert_false(record_unsubscribe_decode(slice_of(buf.data, len), &out));
    buf.data[20] = 4; /* no way that is known */
    assert_false(record_unsubscribe_decode(buf_slice(&buf), &out));
    buf_free(&buf);
}

static void a_copy_comes_back(void **state)
{
    struct record_copy in = {.message = UINT64_MAX, .recipient = {SLICE_TEXT("ann@example.net"), 0x80000001}}, out;
    size_t without;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    assert_true(record_copy_encode(&in, &buf));
    assert_true(record_copy_decode(buf_slice(&buf), &out));
    assert_true(out.message == in.message && out.recipient.key == in.recipient.key);
    assert_true(slice_eq(out.recipient.address, in.recipient.address) && out.original.len == 0);
    without = buf.len;
    buf_reset(&buf);
    in.original = slice_str("team@example.net");
    assert_true(record_copy_encode(&in, &buf));
    assert_true(record_copy_decode(buf_slice(&buf), &out));
    assert_true(slice_eq(out.recipient.address, in.recipient.address) && slice_eq(out.original, in.original));
    for (size_t len = 0; len < buf.len; len++)
        assert_int_equal(record_copy_decode(slice_of(buf.data, len), &out), len == without);
    buf_free(&buf);
}

static void too_long_a_text_leaves_nothing_behind(void **state)
{
    static char text[70000];
    struct record_answer answer = {.subject = {text, sizeof text}};
    struct record_hit hit = {.kind = HIT_VIEW, .user_agent = {text, sizeof text}}, back;
    struct buf buf;

    (void)state;
    buf_init(&buf, CAP);
    buf_add_str(&buf, "before");
    assert_false(record_answer_encode(&answer, &buf));
    assert_int_equal(buf.len, 6);
    buf_reset(&buf);
    assert_true(record_hit_encode(&hit, &buf));
    assert_true(record_hit_decode(buf_slice(&buf), &back));
    assert_int_equal(back.user_agent.len, USER_AGENT_MAX);
    buf_free(&buf);
}

static void words_are_those_of_the_database(void **state)
{
    (void)state;
    assert_string_equal(answer_class_name(ANSWER_AUTO_REPLY), "auto_reply");
    assert_string_equal(answer_rung_name(RUNG_ORIGINAL_MESSAGE_ID), "original_message_id");
    assert_string_equal(answer_confidence_name(CONFIDENCE_HIGH), "high");
    assert_string_equal(answer_answerer_name(ANSWERER_RECIPIENT), "recipient");
    assert_string_equal(hit_kind_name(HIT_VIEW), "view");
    assert_string_equal(hit_verdict_name(VERDICT_SELF), "self");
    assert_string_equal(tracking_level_name(LEVEL_AGGREGATE), "aggregate");
}

/* The examples of RFC 3720 appendix B.4, and both ways of computing for every length and offset. */
static void checksum_is_castagnoli(void **state)
{
    unsigned char bytes[100] = {0};

    (void)state;
    assert_int_equal(crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    assert_int_equal(crc32c(0, bytes, 32), 0x62A8AB43);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xE3069283);
    for (unsigned char n = 0; n < 100; n++)
        bytes[n] = (unsigned char)(n * 37);
    for (size_t from = 0; from < 9; from++)
        for (size_t len = 0; from + len <= sizeof bytes; len++)
            assert_int_equal(crc32c(5, bytes + from, len), crc32c_by_table(5, bytes + from, len));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_comes_back),
        cmocka_unit_test(every_prefix_of_a_message_is_refused),
        cmocka_unit_test(a_hit_comes_back),
        cmocka_unit_test(an_answer_comes_back),
        cmocka_unit_test(a_stop_comes_back),
        cmocka_unit_test(a_refusal_comes_back),
        cmocka_unit_test(an_unsubscribe_comes_back),
        cmocka_unit_test(a_copy_comes_back),
        cmocka_unit_test(a_delivery_comes_back),
        cmocka_unit_test(too_long_a_text_leaves_nothing_behind),
        cmocka_unit_test(words_are_those_of_the_database),
        cmocka_unit_test(checksum_is_castagnoli),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
