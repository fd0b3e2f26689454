/* SPDX-License-Identifier: BSD-2-Clause */
/* who is forgotten: the list, texts, and what is left of each kind of record */

#include "common/digest.h"
#include "common/forgotten.h"
#include "common/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { TEXT_MAX = 10000 };

static const char salt[] = "0123456789abcdef0123456789abcdef";

static void add_digest(struct buf *text, const char *address)
{
    const struct slice parts[] = {slice_str(salt), slice_str(address)};
    uint8_t digest[32];

    assert_true(digest_sha256(parts, 2, digest));
    buf_add_str(text, "digest\t");
    hex_add(text, digest, sizeof digest);
    buf_add_char(text, '\n');
}

static struct forgotten *list_of(const char *const *address)
{
    struct forgotten *forgotten;
    struct buf text;

    buf_init(&text, TEXT_MAX);
    buf_add_str(&text, "salt\t");
    hex_add(&text, (const uint8_t *)salt, strlen(salt));
    buf_add_str(&text, "\nnumber\t7\n");
    for (; *address; address++)
        add_digest(&text, *address);
    forgotten = forgotten_parse(buf_slice(&text));
    buf_free(&text);
    assert_non_null(forgotten);
    return forgotten;
}

static struct forgotten *list_of_bob(void)
{
    return list_of((const char *const[]){"bob@example.net", "o'neil@example.org", NULL});
}

static void the_list_knows_addresses(void **state)
{
    struct forgotten *forgotten = list_of_bob();

    (void)state;
    assert_int_equal(forgotten_number(forgotten), 7);
    assert_int_equal(forgotten_epoch(forgotten), 0);
    assert_int_equal(forgotten_count(forgotten), 2);
    assert_true(forgotten_has(forgotten, slice_str("bob@example.net")));
    assert_false(forgotten_has(forgotten, slice_str("bobby@example.net")));
    assert_false(forgotten_has(forgotten, slice_str("")));
    assert_false(forgotten_has(NULL, slice_str("bob@example.net")));
    forgotten_let_go(forgotten);
    forgotten = forgotten_parse(slice_str("salt\tabcd\nepoch\t281474976710656\n"));
    assert_true(forgotten && forgotten_epoch(forgotten) == 281474976710656);
    forgotten_let_go(forgotten);
    assert_int_equal(forgotten_epoch(NULL), 0);
    assert_null(forgotten_parse(slice_str("salt\tabcd\nepoch\tx\n")));
    assert_null(forgotten_parse(slice_str("salt\tabcd\nnumber\t71111111111111111111\n")));
    assert_null(forgotten_parse(slice_str("number\t7\n")));
    assert_null(forgotten_parse(slice_str("salt\tabc\n")));
    assert_null(forgotten_parse(slice_str("salt\tabcd\ndigest\tab\n")));
    assert_null(forgotten_parse(slice_str("salt\tabcd\nsomebody\tab\n")));
}

static void what_a_restored_database_lacks(void **state)
{
    struct forgotten *old = list_of_bob(), *now = list_of((const char *const[]){"bob@example.net", NULL});
    struct buf array;

    (void)state;
    buf_init(&array, TEXT_MAX);
    assert_true(forgotten_missing(old, now, &array));
    assert_int_equal(array.len, strlen("{\"\\\\x\"}") + 64);
    buf_reset(&array);
    assert_false(forgotten_missing(now, old, &array));
    assert_false(forgotten_missing(NULL, now, &array));
    buf_free(&array);
    forgotten_let_go(now);
    forgotten_let_go(old);
}

static void no_text_names_them(void **state)
{
    static const struct {
        const char *text, *censored;
    } rows[] = {
        {"to=<bob@example.net> recipients=1", "to=<[forgotten]> recipients=1"},
        {"whom=<cy@example.org>,<Bob@Example.NET>", "whom=<cy@example.org>,<[forgotten]>"},
        {"host said: 550 bob@example.net: no such user", "host said: 550 [forgotten]: no such user"},
        {"bob@example.net.", "[forgotten]."},
        {"from=<o'neil@example.org>", "from=<[forgotten]>"},
        {"https://x.example/?m=bob%40example.net&n=1", "https://x.example/?m=[forgotten]&n=1"},
        {"bob@example.net bob@example.net", "[forgotten] [forgotten]"},
        {"bobby@example.net", NULL},
        {"bob@example.network", NULL},
        {"bob@", NULL},
        {"@example.net", NULL},
        {"100%", NULL},
        {"", NULL},
    };
    struct forgotten *forgotten = list_of_bob();
    struct buf out;

    (void)state;
    buf_init(&out, TEXT_MAX);
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        print_message("row %zu\n", row);
        buf_reset(&out);
        assert_int_equal(forgotten_censor(forgotten, slice_str(rows[row].text), &out), rows[row].censored != NULL);
        assert_string_equal(buf_text(&out), rows[row].censored ? rows[row].censored : "");
    }
    buf_free(&out);
    forgotten_let_go(forgotten);
}

/* A line of at signs and long words is looked at once, not once for each pair. */
static void a_long_text_ends_soon(void **state)
{
    struct forgotten *forgotten = list_of_bob();
    struct buf text, out;

    (void)state;
    buf_init(&text, TEXT_MAX);
    buf_init(&out, TEXT_MAX);
    for (size_t n = 0; n < TEXT_MAX / 2; n++)
        buf_add_str(&text, n % 2 ? "a" : "@");
    assert_false(forgotten_censor(forgotten, buf_slice(&text), &out));
    buf_free(&text);
    buf_free(&out);
    forgotten_let_go(forgotten);
}

static enum forgotten_effect effect_on_message(const char *sender, size_t recipients, const char *const *address, struct buf *left)
{
    struct record_recipient recipient[3] = {{.key = 1}};
    struct record_link link = {1, slice_str("https://x.example/?m=bob@example.net")};
    struct record_message message = {
        .id = 5, .level = LEVEL_INDIVIDUAL, .owner = slice_str("ann@example.com"), .sender = slice_str(sender),
        .subject = slice_str("For you"), .recipient = recipient, .recipients = recipients, .link = &link, .links = 1};
    struct forgotten *forgotten = list_of_bob();
    enum forgotten_effect effect;
    struct buf payload;

    for (size_t at = 0; at < recipients; at++)
        recipient[at].address = slice_str(address[at]);
    buf_init(&payload, RECORD_BYTES_MAX);
    assert_true(record_message_encode(&message, &payload));
    effect = forgotten_record(forgotten, RECORD_MESSAGE, buf_slice(&payload), left);
    buf_free(&payload);
    forgotten_let_go(forgotten);
    return effect;
}

static void a_mail_is_left_without_them(void **state)
{
    static const char *const both[] = {"bob@example.net", "cy@example.org"}, *const bob[] = {"bob@example.net"};
    struct record_message message;
    struct buf left;

    (void)state;
    buf_init(&left, RECORD_BYTES_MAX);
    assert_int_equal(effect_on_message("ann@example.com", 2, both, &left), FORGOTTEN_CHANGES);
    assert_true(record_message_decode(buf_slice(&left), &message));
    assert_int_equal(message.recipients, 1);
    assert_true(slice_is(message.recipient[0].address, "cy@example.org"));
    assert_int_equal(message.links, 0);
    record_message_free(&message);
    assert_int_equal(effect_on_message("ann@example.com", 1, bob, &left), FORGOTTEN_DROPS);
    assert_int_equal(effect_on_message("bob@example.net", 1, both + 1, &left), FORGOTTEN_DROPS);
    buf_free(&left);
}

static void records_about_them_go(void **state)
{
    struct record_answer answer = {.message = 5, .class_ = ANSWER_REPLY, .from = slice_str("bob@example.net")};
    struct record_stop stop = {.message = 5, .class_ = ANSWER_REPLY, .address = slice_str("bob@example.net")};
    struct record_refusal refusal = {.campaign = slice_str("spring"), .address = slice_str("bob@example.net"),
                                     .reason = slice_str("reply")};
    struct record_delivery delivery = {.state = DELIVERY_BOUNCED, .host = slice_str("mx"), .queue_id = slice_str("1"),
                                       .recipient = slice_str("cy@example.org"), .text = slice_str("not bob@example.net")};
    struct record_copy copy = {.message = 5, .recipient = {slice_str("cy@example.org"), 1}, .original = slice_str("bob@example.net")};
    struct forgotten *forgotten = list_of_bob();
    struct buf payload, left;

    (void)state;
    buf_init(&payload, RECORD_BYTES_MAX);
    buf_init(&left, RECORD_BYTES_MAX);
#define CHECK(kind, encode, record, expected)                                                               \
    do {                                                                                                    \
        buf_reset(&payload);                                                                                \
        assert_true(encode(&(record), &payload));                                                           \
        assert_int_equal(forgotten_record(forgotten, kind, buf_slice(&payload), &left), FORGOTTEN_##expected); \
    } while (0)
    CHECK(RECORD_ANSWER, record_answer_encode, answer, DROPS);
    CHECK(RECORD_STOP, record_stop_encode, stop, DROPS);
    CHECK(RECORD_REFUSED, record_refusal_encode, refusal, DROPS);
    CHECK(RECORD_DELIVERY, record_delivery_encode, delivery, CHANGES);
    assert_true(record_delivery_decode(buf_slice(&left), &delivery));
    assert_int_equal(delivery.text.len, 0);
    CHECK(RECORD_COPY, record_copy_encode, copy, CHANGES);
    answer.from = slice_str("cy@example.org");
    CHECK(RECORD_ANSWER, record_answer_encode, answer, KEEPS);
    assert_int_equal(forgotten_record(forgotten, RECORD_ANSWER, slice_str("no record"), &left), FORGOTTEN_KEEPS);
    buf_free(&payload);
    buf_free(&left);
    forgotten_let_go(forgotten);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_list_knows_addresses),
        cmocka_unit_test(what_a_restored_database_lacks),
        cmocka_unit_test(no_text_names_them),
        cmocka_unit_test(a_long_text_ends_soon),
        cmocka_unit_test(a_mail_is_left_without_them),
        cmocka_unit_test(records_about_them_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
