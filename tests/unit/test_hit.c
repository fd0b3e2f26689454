/* SPDX-License-Identifier: BSD-2-Clause */
/* from a request to its record: whose address, how much of it, what is cut */

#include "common/message_id.h"
#include "pixeld/hit.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct network_list proxies;
static struct rules *rules;

static void ignore(void *arg, const char *line)
{
    (void)arg, (void)line;
}

static int set_up(void **state)
{
    char ten[] = "10.0.0.0/8", local[] = "2001:db8:1::/48";
    char *texts[] = {ten, local};

    (void)state;
    rules = rules_parse(slice_str(rules_builtin), ignore, NULL);
    return rules && network_list_parse(&proxies, texts, 2) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    network_list_free(&proxies);
    rules_let_go(rules);
    return 0;
}

static struct sockaddr_in6 peer_of(const char *text)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        memcpy(&v6, &v4, sizeof v4);
    else
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return v6;
}

struct row {
    const char *peer;
    enum client_header header;
    const char *line[2];
    const char *client;
};

static const struct row table[] = {
    {"192.0.2.1", CLIENT_X_FORWARDED_FOR, {NULL}, "192.0.2.1"},
    {"::ffff:192.0.2.1", CLIENT_X_FORWARDED_FOR, {NULL}, "192.0.2.1"},
    {"192.0.2.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7"}, "192.0.2.1"}, /* the peer is no proxy of ours */
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {NULL}, "10.0.0.1"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"203.0.113.9, 198.51.100.7 ,10.0.0.2"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"203.0.113.9", "198.51.100.7, 10.0.0.2"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7", "10.0.0.2"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"10.0.0.9, 10.0.0.2"}, "10.0.0.9"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7, garbage"}, "10.0.0.1"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7, garbage, 10.0.0.2"}, "10.0.0.2"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"198.51.100.7:4711"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"[2001:db8::7]:4711"}, "2001:db8::7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"2001:db8::7"}, "2001:db8::7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"["}, "10.0.0.1"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {","}, "10.0.0.1"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7"}, "198.51.100.7"},
    {"2001:db8:1::1",
     CLIENT_FORWARDED,
     {"proto=https; For=\"[2001:db8::7]:4711\";by=203.0.113.43"},
     "2001:db8::7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7, for=10.1.1.1"}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7, for=_hidden"}, "2001:db8:1::1"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=unknown"}, "2001:db8:1::1"},
    /* What a client put between quotes is no element and no pair of its own. */
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7;host=\"a;for=203.0.113.9\""}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7;host=\"a, for=203.0.113.9\""}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"host=\"\\\";for=203.0.113.9\";for=198.51.100.7"}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7;for=203.0.113.9"}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=203.0.113.9;x=\", for=198.51.100.7"}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=203.0.113.9;x=\", for=\"[2001:db8::7]\""}, "2001:db8::7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=203.0.113.9;x=\"\\, for=\"[2001:db8::7]\""}, "2001:db8::7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"\"203.0.113.9, 198.51.100.7"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR, {"\"203.0.113.9, 198.51.100.7, 10.0.0.2\", 10.0.0.3"}, "10.0.0.3"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"host=\"open", "for=198.51.100.7, for=10.1.1.1"}, "198.51.100.7"},
    {"2001:db8:1::1", CLIENT_FORWARDED, {"for=198.51.100.7 ; proto=http,"}, "198.51.100.7"},
    {"10.0.0.1", CLIENT_X_FORWARDED_FOR,
     {"203.0.113.9,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,"
      "10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.7"},
     "10.0.0.1"},
};

static void rightmost_untrusted_address(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof table / sizeof *table; n++) {
        const struct row *row = &table[n];
        struct sockaddr_in6 peer = peer_of(row->peer);
        struct request request = {.peer = (const struct sockaddr *)&peer};
        struct client client;
        char text[INET6_ADDRSTRLEN];

        while (request.forwarded_lines < 2 && row->line[request.forwarded_lines]) {
            request.forwarded[request.forwarded_lines] = slice_str(row->line[request.forwarded_lines]);
            request.forwarded_lines++;
        }
        client = client_of(&request, &proxies, row->header);
        assert_non_null(
            inet_ntop(client.address_bytes == 4 ? AF_INET : AF_INET6, client.address, text, sizeof text));
        print_message("# %s by %s\n", row->line[0] ? row->line[0] : "", row->peer);
        assert_string_equal(text, row->client);
    }
}

static void nothing_is_trusted_without_a_list(void **state)
{
    struct sockaddr_in6 peer = peer_of("10.0.0.1");
    struct request request = {.peer = (const struct sockaddr *)&peer,
                              .forwarded = {slice_str("198.51.100.7")},
                              .forwarded_lines = 1};
    struct client client = client_of(&request, NULL, CLIENT_X_FORWARDED_FOR);

    (void)state;
    assert_int_equal(client.address[0], 10);
}

static void anonymous_addresses(void **state)
{
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, 1, 2};
    struct hit_settings settings = {.anonymize_ip = true};
    struct token token = {.kind = TOKEN_VIEW};
    struct sockaddr_in6 peer = peer_of("192.0.2.77");
    struct request request = {.peer = (const struct sockaddr *)&peer};
    struct record_hit hit;

    (void)state;
    hit_of(&request, &token, slice_of("", 0), rules, &settings, 0, &hit);
    assert_int_equal(hit.address_bytes, 4);
    assert_memory_equal(hit.address, ((uint8_t[16]){192, 0, 2}), 16);
    peer = peer_of("2001:db8:102:304:506::1");
    hit_of(&request, &token, slice_of("", 0), rules, &settings, 0, &hit);
    assert_int_equal(hit.address_bytes, 16);
    assert_memory_equal(hit.address, v6, 16);
    request.peer = NULL;
    hit_of(&request, &token, slice_of("", 0), rules, &settings, 0, &hit);
    assert_int_equal(hit.address_bytes, 0);
}

static void fields_of_the_record(void **state)
{
    enum { NOW_S = 1800000000 };
    char agent[2 * USER_AGENT_MAX];
    struct hit_settings settings = {.anonymize_ip = false};
    struct token token = {.kind = TOKEN_CLICK, .recipient = 7, .index = 3};
    struct request request = {.method = REQUEST_HEAD};
    struct record_hit hit;

    (void)state;
    memset(agent, 'x', sizeof agent);
    request.field[REQUEST_USER_AGENT] = slice_of(agent, sizeof agent);
    token.message = message_id_compose((int64_t)NOW_S * 1000 - 5000, 1, 1);
    hit_of(&request, &token, slice_str("/c/raw"), rules, &settings, (int64_t)NOW_S * 1000000, &hit);
    assert_int_equal(hit.kind, HIT_CLICK);
    assert_true(hit.message == token.message);
    assert_int_equal(hit.recipient, 7);
    assert_int_equal(hit.index, 3);
    assert_true(hit.time_us == (int64_t)NOW_S * 1000000);
    assert_int_equal(hit.verdict, VERDICT_BOT);
    assert_true(slice_is(hit.reason, "head"));
    assert_int_equal(hit.user_agent.len, USER_AGENT_MAX);
    assert_true(slice_is(hit.raw, "/c/raw"));
}

static void age_comes_from_the_message_id(void **state)
{
    enum { NOW_S = 1800000000 };
    struct hit_settings settings = {.anonymize_ip = false};
    struct token token = {.kind = TOKEN_CLICK};
    struct request request = {.method = REQUEST_GET};
    struct record_hit hit;

    (void)state;
    token.message = message_id_compose((int64_t)NOW_S * 1000 - 1000, 1, 1);
    hit_of(&request, &token, slice_of("", 0), rules, &settings, (int64_t)NOW_S * 1000000, &hit);
    assert_true(slice_is(hit.reason, "too_soon"));
}

static void the_decoys_index_is_a_machines(void **state)
{
    struct hit_settings settings = {.anonymize_ip = false};
    struct token token = {.kind = TOKEN_CLICK, .index = TOKEN_DECOY_INDEX};
    struct request request = {.method = REQUEST_GET};
    struct record_hit hit;

    (void)state;
    assert_true(hit_of(&request, &token, slice_of("", 0), rules, &settings, INT64_C(1800000000000000), &hit));
    assert_int_equal(hit.verdict, VERDICT_BOT);
    assert_true(slice_is(hit.reason, "decoy"));
    assert_int_equal(hit.index, TOKEN_DECOY_INDEX);
    token.index--;
    assert_true(hit_of(&request, &token, slice_of("", 0), rules, &settings, INT64_C(1800000000000000), &hit));
    assert_false(slice_is(hit.reason, "decoy"));
    token = (struct token){.kind = TOKEN_VIEW, .index = TOKEN_DECOY_INDEX};
    assert_true(hit_of(&request, &token, slice_of("", 0), rules, &settings, INT64_C(1800000000000000), &hit));
    assert_false(slice_is(hit.reason, "decoy"));
}

struct wish {
    enum conf_honour_gpc honour;
    enum request_field field;
    const char *value;
    const char *raw;
    bool recorded, named;
};

static const struct wish wishes[] = {
    {HONOUR_GPC_NO, REQUEST_SEC_GPC, "1", "", true, true},
    {HONOUR_GPC_AGGREGATE, REQUEST_SEC_GPC, "1", "", true, false},
    {HONOUR_GPC_AGGREGATE, REQUEST_DNT, "1", "", true, false},
    {HONOUR_GPC_AGGREGATE, REQUEST_DNT, "0", "", true, true},
    {HONOUR_GPC_AGGREGATE, REQUEST_ACCEPT, "1", "", true, true},
    {HONOUR_GPC_AGGREGATE, REQUEST_SEC_GPC, "1", "/o/raw", false, false}, /* the raw target names the person */
    {HONOUR_GPC_DROP, REQUEST_SEC_GPC, "1", "", false, false},
    {HONOUR_GPC_DROP, REQUEST_SEC_GPC, "", "", true, true},
};

static void people_who_ask_not_to_be_tracked(void **state)
{
    struct token token = {.kind = TOKEN_VIEW, .recipient = 7};
    struct sockaddr_in6 peer = peer_of("192.0.2.77");

    (void)state;
    for (size_t n = 0; n < sizeof wishes / sizeof *wishes; n++) {
        const struct wish *wish = &wishes[n];
        struct hit_settings settings = {.honour_gpc = wish->honour};
        struct request request = {.peer = (const struct sockaddr *)&peer,
                                  .field = {[REQUEST_USER_AGENT] = slice_str("Program/1")}};
        struct record_hit hit = {.kind = HIT_VIEW};

        request.field[wish->field] = slice_str(wish->value);
        assert_int_equal(hit_of(&request, &token, slice_str(wish->raw), rules, &settings, 0, &hit), wish->recorded);
        assert_int_equal(hit.recipient, wish->named ? 7 : 0);
        assert_int_equal(hit.user_agent.len, wish->named ? 9 : 0);
        assert_int_equal(hit.address_bytes, wish->named ? 4 : 0);
    }
}

static void an_aggregate_token_leaves_no_person(void **state)
{
    struct hit_settings settings = {.anonymize_ip = false};
    struct token token = {.kind = TOKEN_VIEW, .aggregate = true};
    struct sockaddr_in6 peer = peer_of("192.0.2.77");
    struct request request = {.peer = (const struct sockaddr *)&peer,
                              .field = {[REQUEST_USER_AGENT] = slice_str("Mozilla/5.0")}};
    struct record_hit hit;

    (void)state;
    assert_true(hit_of(&request, &token, slice_of("", 0), rules, &settings, 0, &hit));
    assert_true(slice_is(hit.reason, "apple_mpp"));
    assert_int_equal(hit.user_agent.len, 0);
    assert_int_equal(hit.address_bytes, 0);
    assert_memory_equal(hit.address, ((uint8_t[16]){0}), 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rightmost_untrusted_address),
        cmocka_unit_test(nothing_is_trusted_without_a_list),
        cmocka_unit_test(anonymous_addresses),
        cmocka_unit_test(people_who_ask_not_to_be_tracked),
        cmocka_unit_test(an_aggregate_token_leaves_no_person),
        cmocka_unit_test(fields_of_the_record),
        cmocka_unit_test(age_comes_from_the_message_id),
        cmocka_unit_test(the_decoys_index_is_a_machines),
    };

    return cmocka_run_group_tests_name("hit", tests, set_up, tear_down);
}
