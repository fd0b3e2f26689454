/* SPDX-License-Identifier: BSD-2-Clause */
/* rules as a text: what they test, in which order, bad ones; the book that threads share; the file */

#include "pixeld/rulebook.h"
#include "pixeld/name_set.h"
#include "common/buf.h"
#include "common/kept_text.h"
#include "common/network.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR_MS = 3600 * 1000, TEXT_MAX = 1 << 20 };

static void collect(void *arg, const char *line)
{
    buf_add_str(arg, line);
    buf_add_char(arg, '\n');
}

static void fail_at(void *arg, const char *line)
{
    (void)arg;
    fail_msg("%s", line);
}

static struct client client_at(const char *address)
{
    struct client client = {.address_bytes = 0};
    struct network network;

    if (!address)
        return client;
    assert_true(network_parse(slice_str(address), &network));
    client.address_bytes = strchr(address, ':') ? 16 : 4;
    memcpy(client.address, network.address + 16 - client.address_bytes, client.address_bytes);
    return client;
}

struct question {
    enum hit_kind kind;
    const char *agent;
    const char *address;
    const char *referer;
    int64_t age_ms;
};

static const char *answer(const struct rules *rules, struct question question)
{
    static char text[200];
    struct request request = {.field = {[REQUEST_USER_AGENT] = slice_str(question.agent),
                                        [REQUEST_REFERER] = slice_str(question.referer)}};
    struct client client = client_at(question.address);
    struct rules_question asked = {&request, &client, question.kind ? question.kind : HIT_VIEW,
                                   question.age_ms ? question.age_ms : HOUR_MS, false};
    struct rules_answer given = rules_ask(rules, &asked);

    if (given.judged)
        snprintf(text, sizeof text, "%s %.*s", hit_verdict_name(given.verdict), SLICE_ARG(given.reason));
    return given.judged ? text : given.person ? "person" : "nothing";
}

#define EXPECT(rules, expected, ...) assert_string_equal(answer(rules, (struct question){__VA_ARGS__}), expected)

static void each_test_of_a_field(void **state)
{
    struct rules *rules = rules_parse(slice_str(
        "agent\t9\tany\tUser-Agent\tis\tExact\t\t\tbot\tis\n"
        "agent\t8\tany\tUser-Agent\tstarts\tbegin\t\t\tbot\tstarts\n"
        "agent\t7\tany\tUser-Agent\tends\tend\t\t\tbot\tends\n"
        "agent\t6\tany\tUser-Agent\tcontains\tmid\t\t\tbot\tcontains\n"
        "agent\t5\tany\tUser-Agent\tword\tfoo/\t\t\tbot\tword\n"
        "agent\t4\tany\tUser-Agent\tword_end\tbot\t\t\tbot\tword_end\n"
        "agent\t3\tany\tUser-Agent\tempty\t\t\t\tbot\tempty\n"
        "agent\t2\tclick\tReferer\thost\tmail.example\t\t\thuman\thost\n"
        "agent\t1\tclick\tReferer\tpresent\t\t\t\tunknown\tpresent\n"), fail_at, NULL);

    (void)state;
    assert_non_null(rules);
    EXPECT(rules, "bot is", .agent = " Exact ");
    EXPECT(rules, "nothing", .agent = "exact");
    EXPECT(rules, "bot starts", .agent = "BEGIN x");
    EXPECT(rules, "bot ends", .agent = "the END");
    EXPECT(rules, "bot contains", .agent = "xxMIDxx");
    EXPECT(rules, "bot word", .agent = "x (Foo/1)");
    EXPECT(rules, "nothing", .agent = "x (afoo/1)");
    EXPECT(rules, "bot word_end", .agent = "Some-ExampleBot/1");
    EXPECT(rules, "nothing", .agent = "Botany");
    EXPECT(rules, "bot empty", .agent = "");
    EXPECT(rules, "unknown present", .kind = HIT_CLICK, .agent = "x", .referer = "https://mail.example/");
    rules_let_go(rules);
    rules = rules_parse(slice_str("agent\t2\tclick\tReferer\thost\tmail.example\t\t\thuman\thost\n"), fail_at, NULL);
    EXPECT(rules, "human host", .kind = HIT_CLICK, .agent = "x", .referer = "https://a.Mail.example:443/x");
    EXPECT(rules, "nothing", .kind = HIT_CLICK, .agent = "x", .referer = "https://mail.example.org/");
    EXPECT(rules, "nothing", .kind = HIT_CLICK, .agent = "x", .referer = "https://xmail.example/");
    EXPECT(rules, "nothing", .kind = HIT_CLICK, .agent = "x", .referer = "mail.example");
    EXPECT(rules, "nothing", .agent = "x", .referer = "https://mail.example/");
    rules_let_go(rules);
}

static void the_lowest_number_counts(void **state)
{
    struct rules *rules = rules_parse(slice_str(
        "agent\t30\tany\tUser-Agent\tword\tab\t\t\tbot\tshort\n"
        "agent\t20\tany\tUser-Agent\tword\tabc\t\t\tbot\tlong\n"
        "agent\t10\tany\tUser-Agent\tword\tabcd\t\t1000\tbot\tyoung\n"
        "agent\t15\tclick\tUser-Agent\tword\tabcd\t\t\tbot\tclicked\n"
        "agent\t16\tany\tUser-Agent\tword\tperson\t\t\t\tperson\n"
        "agent\t17\tclick\t\talways\t\t\t3000\tbot\tsoon\n"), fail_at, NULL);

    (void)state;
    assert_non_null(rules);
    EXPECT(rules, "bot short", .agent = "abx");
    EXPECT(rules, "bot long", .agent = "ABCX");
    EXPECT(rules, "bot long", .agent = "x abx abcx");
    EXPECT(rules, "bot long", .agent = "abcd");
    EXPECT(rules, "bot young", .agent = "abcd", .age_ms = 999);
    EXPECT(rules, "bot young", .agent = "abcd", .age_ms = -59000);
    EXPECT(rules, "bot long", .agent = "abcd", .age_ms = -61000);
    EXPECT(rules, "bot clicked", .agent = "abcd", .kind = HIT_CLICK);
    EXPECT(rules, "person", .agent = "abx person");
    EXPECT(rules, "bot soon", .agent = "person", .kind = HIT_CLICK, .age_ms = 2999);
    EXPECT(rules, "person", .agent = "person", .kind = HIT_CLICK, .age_ms = 3000);
    rules_let_go(rules);
}

static void networks(void **state)
{
    struct rules *rules = rules_parse(slice_str(
        "agent\t1\tany\tUser-Agent\tempty\t\tcloud\t\tbot\tempty_cloud\n"
        "network\tany\t\tself\toffice\t192.0.2.0/24 2001:db8::/32\n"
        "network\tclick\t60000\tbot\tscanner\t192.0.2.128/25\n"
        "network\tany\t\t\tcloud\t198.51.100.0/24\n"), fail_at, NULL);

    (void)state;
    assert_non_null(rules);
    assert_int_equal(rules_size(rules).network, 3);
    EXPECT(rules, "self office", .agent = "", .address = "192.0.2.1");
    EXPECT(rules, "self office", .agent = "", .address = "2001:db8::1");
    EXPECT(rules, "nothing", .agent = "", .address = "2001:db9::1");
    EXPECT(rules, "bot scanner", .agent = "", .kind = HIT_CLICK, .age_ms = 5000, .address = "192.0.2.200");
    EXPECT(rules, "nothing", .agent = "", .kind = HIT_CLICK, .address = "192.0.2.200"); /* the smallest network alone counts */
    EXPECT(rules, "bot empty_cloud", .agent = "", .address = "198.51.100.7");
    EXPECT(rules, "nothing", .agent = "x", .address = "198.51.100.7");
    EXPECT(rules, "nothing", .agent = "", .address = NULL);
    rules_let_go(rules);
}

static void bad_rules_are_named_and_left_out(void **state)
{
    static const struct {
        const char *line;
        const char *complaint;
    } bad[] = {
        {"agent\t5\tany\tX-Unheard\tis\tx\t\t\tbot\tr", "agent rule 5: cannot test the field \"X-Unheard\""},
        {"agent\t5\tany\tUser-Agent\tregex\tx\t\t\tbot\tr", "agent rule 5: there is no test \"regex\""},
        {"agent\t5\tany\tUser-Agent\tis\t\t\t\tbot\tr", "agent rule 5: too long, missing"},
        {"agent\t5\tany\tUser-Agent\tempty\tx\t\t\tbot\tr", "agent rule 5: too long, missing"},
        {"agent\t5\tany\tUser-Agent\talways\t\t\t\tbot\tr", "agent rule 5: cannot test the field \"User-Agent\""},
        {"agent\t5\tsome\tUser-Agent\tis\tx\t\t\tbot\tr", "agent rule 5: neither any"},
        {"agent\t5\tany\tUser-Agent\tis\tx\t\t-1\tbot\tr", "agent rule 5: neither any"},
        {"agent\t5\tany\tUser-Agent\tis\tx\t\t\talien\tr", "agent rule 5: there is no verdict \"alien\""},
        {"agent\t5\tany\tReferer\tis\tx\t\t\t\tr", "agent rule 5: no verdict for the field"},
        {"agent\t5\tany\tUser-Agent\tis\tx\t\t\tbot\ttwo words", "agent rule 5: not a word is the reason"},
        {"agent\tx\tany\tUser-Agent\tis\tx\t\t\tbot\tr", "agent rule x: not a number"},
        {"agent\t2222222222222222222222\tany\tUser-Agent\tis\tx\t\t\tbot\tr", "agent rule 2222222222222222222222: not a number"},
        {"agent\t5\tany", "agent rule : one too many, or no rule: \"agent"},
        {"agent\t5\tany\tUser-Agent\tis\tx\t\t\tbot\tr\tmore", "agent rule : one too many"},
        {"network\tany\t\tbot\tr\t10.0.0.0/8 10.1.0.0/8", "network rule r: not a network is \"10.1.0.0/8\""},
        {"network\tany\t\talien\tr\t10.0.0.0/8", "network rule r: there is no verdict"},
        {"network\tany", "network rule : one too many, or no rule:"},
        {"gibberish", "unknown rule : no rule is \"gibberish\""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof bad / sizeof *bad; n++) {
        struct buf text, said;
        struct rules *rules;

        buf_init(&text, TEXT_MAX);
        buf_init(&said, TEXT_MAX);
        buf_add_f(&text, "%s\nagent\t6\tany\tUser-Agent\tis\tGood\t\t\tbot\tgood\n", bad[n].line);
        rules = rules_parse(buf_slice(&text), collect, &said);
        assert_non_null(rules);
        if (strncmp(buf_text(&said), bad[n].complaint, strlen(bad[n].complaint)) != 0)
            fail_msg("%s: %s", bad[n].line, buf_text(&said));
        EXPECT(rules, "bot good", .agent = "Good");
        rules_let_go(rules);
        buf_free(&text);
        buf_free(&said);
    }
}

/* names, against a look at each */

static void count_found(void *arg, uint32_t number)
{
    ((unsigned *)arg)[number]++;
}

static void all_names_are_found(void **state)
{
    static const char *const texts[] = {"a", "ab", "abc", "abd", "b", "ba", "ABC", "a-b", "\xC3\xA4", "abcabc"};
    static const char *const rests[] = {"", "a", "ab", "abcab", "abcabcabc", "Bab", "a-bc", "\xC3\xA4x", "c", "abz", "\xFF", "a-"};
    enum { TEXTS = sizeof texts / sizeof *texts };
    struct name_set set = {.item = NULL};

    (void)state;
    for (uint32_t n = 0; n < TEXTS; n++)
        assert_true(name_set_add(&set, slice_str(texts[n]), n));
    name_set_build(&set);
    for (size_t n = 0; n < sizeof rests / sizeof *rests; n++) {
        unsigned found[TEXTS] = {0};

        name_set_find(&set, slice_str(rests[n]), count_found, found);
        for (size_t t = 0; t < TEXTS; t++)
            assert_int_equal(found[t], slice_starts_i(slice_str(rests[n]), slice_str(texts[t])));
    }
    name_set_free(&set);
}

/* the book */

enum { READERS = 3, CHANGES = 200 };

struct sharing {
    struct latest *book;
    atomic_bool done;
};

static void *read_the_book(void *arg)
{
    struct sharing *sharing = arg;

    while (!atomic_load(&sharing->done)) {
        struct rules *rules = rulebook_take(sharing->book);
        struct request request = {.field = {[REQUEST_USER_AGENT] = slice_str("Name/1")}};
        struct client client = {.address_bytes = 0};
        struct rules_question question = {&request, &client, HIT_VIEW, HOUR_MS, false};
        struct rules_answer given = rules_ask(rules, &question);
        bool whole = given.judged && given.reason.len == 6 && memcmp(given.reason.p, "reason", 6) == 0;

        rules_let_go(rules);
        if (!whole)
            return arg;
    }
    return NULL;
}

static void rules_change_under_readers(void **state)
{
    static const char text[] = "agent\t1\tany\tUser-Agent\tword\tname/\t\t\tbot\treason\n";
    struct sharing sharing = {.book = rulebook_new(rules_parse(slice_str(text), fail_at, NULL))};
    pthread_t thread[READERS];
    void *failed;

    (void)state;
    assert_non_null(sharing.book);
    for (size_t n = 0; n < READERS; n++)
        assert_int_equal(pthread_create(&thread[n], NULL, read_the_book, &sharing), 0);
    for (size_t n = 0; n < CHANGES; n++)
        latest_replace(sharing.book, rules_parse(slice_str(text), fail_at, NULL));
    atomic_store(&sharing.done, true);
    for (size_t n = 0; n < READERS; n++) {
        pthread_join(thread[n], &failed);
        assert_null(failed);
    }
    latest_free(sharing.book);
}

/* the file */

static void the_file_comes_back_or_is_refused(void **state)
{
    char folder[PATH_SIZE];
    struct buf text;
    char path[PATH_SIZE + 10];
    FILE *file;

    (void)state;
    folder_make(folder);
    buf_init(&text, TEXT_MAX);
    assert_false(kept_text_read(folder, "rules", &text));
    assert_int_equal(errno, ENOENT);
    assert_true(kept_text_write(folder, "rules", slice_str(rules_builtin)));
    assert_true(kept_text_read(folder, "rules", &text));
    assert_string_equal(buf_text(&text), rules_builtin);
    snprintf(path, sizeof path, "%s/rules", folder);
    file = fopen(path, "r+");
    assert_non_null(file);
    fseek(file, 100, SEEK_SET);
    fputc('#', file);
    fclose(file);
    buf_reset(&text);
    assert_false(kept_text_read(folder, "rules", &text));
    assert_int_equal(errno, EBADMSG);
    assert_int_equal(text.len, 0);
    assert_true(kept_text_write(folder, "rules", slice_of("", 0)));
    assert_true(kept_text_read(folder, "rules", &text));
    buf_free(&text);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_test_of_a_field),
        cmocka_unit_test(the_lowest_number_counts),
        cmocka_unit_test(networks),
        cmocka_unit_test(bad_rules_are_named_and_left_out),
        cmocka_unit_test(all_names_are_found),
        cmocka_unit_test(rules_change_under_readers),
        cmocka_unit_test(the_file_comes_back_or_is_refused),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
