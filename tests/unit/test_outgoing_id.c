/* SPDX-License-Identifier: BSD-2-Clause */
/* the ids of an outgoing mail: its Message-ID and References, the twins of earlier ones, and its return path */

#include "common/token.h"
#include "mail/address_token.h"
#include "mail/msgid.h"
#include "mail/return_path.h"
#include "tests/unit/outgoing_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <strings.h>

#include <cmocka.h>

#define HTML "<html><body><p><a href=\"https://shop.example.org/a\">offer</a></p></body></html>\r\n"
#define PLAIN_HEADERS                                                                                        \
    "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\r\n"    \
    "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"

static struct keys *keys;
static struct conf conf;

static struct outgoing_mail ordinary(void)
{
    static const struct slice recipient[] = {{"bob@example.net", 15}};

    return (struct outgoing_mail){
        .body = slice_str(HTML),
        .envelope_sender = slice_str("ann@example.com"),
        .recipient = recipient,
        .recipients = 1,
        .from_submit_network = true,
    };
}

static void plan_with(struct outgoing_run *run, const char *header, struct outgoing_mail mail,
                      bool (*numbers)(void *, uint64_t *))
{
    struct outgoing_settings settings = {.conf = &conf, .keys = keys, .number = numbers};

    header_list_init(&run->headers);
    header_parse(slice_str(header), &run->headers);
    mail.headers = &run->headers;
    outgoing_plan_make(&mail, &settings, &run->plan);
}

static const char *edit_value(const struct outgoing_plan *plan, const char *name, unsigned nth)
{
    for (size_t at = 0; at < plan->edits; at++)
        if (plan->edit[at].nth == nth && strcasecmp(plan->edit[at].name, name) == 0)
            return plan->edit[at].value ? plan->edit[at].value : "(removed)";
    return NULL;
}

static void message_id_modes(void **state)
{
    static const struct {
        enum conf_message_id mode;
        const char *header;
        bool replaced;
    } rows[] = {
        {MESSAGE_ID_AUTO, "Message-ID: <a@example.com>\r\nUser-Agent: Mozilla Thunderbird\r\n", false},
        {MESSAGE_ID_AUTO, "Message-ID: <a@example.com>\r\nX-Mailer: Tool\r\n", false},
        {MESSAGE_ID_AUTO, "Message-ID: <a@example.com>\r\n", true},
        {MESSAGE_ID_AUTO, "Message-ID: <a@single>\r\nUser-Agent: x\r\n", true},
        {MESSAGE_ID_AUTO, "Message-ID: <a@example.com>\r\nMessage-ID: <b@example.com>\r\nUser-Agent: x\r\n", true},
        {MESSAGE_ID_STAMP, "Message-ID: <a@example.com>\r\nUser-Agent: x\r\n", true},
        {MESSAGE_ID_KEEP, "Message-ID: <a@example.com>\r\n", false},
        {MESSAGE_ID_KEEP, "", true},
        {MESSAGE_ID_KEEP, "Message-ID: garbage \x01\r\n", true},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        char header[1000];
        struct outgoing_run run;

        print_message("row %zu\n", row);
        snprintf(header, sizeof header, PLAIN_HEADERS "%s\r\n", rows[row].header);
        conf.stamp.message_id = rows[row].mode;
        plan_with(&run, header, ordinary(), outgoing_number);
        assert_int_equal(run.plan.id_replaced, rows[row].replaced);
        assert_int_equal(edit_value(&run.plan, "Message-ID", 1) != NULL, rows[row].replaced);
        assert_non_null(edit_value(&run.plan, "References", 1));
        outgoing_run_free(&run);
    }
    conf.stamp.message_id = MESSAGE_ID_AUTO;
}

static void replaced_id_and_parent_go_into_references(void **state)
{
    struct outgoing_run run;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run,
              PLAIN_HEADERS "Message-ID: <own@example.com>\r\nMessage-Id: <twice@example.com>\r\n"
                            "In-Reply-To: <parent@example.net>\r\n\r\n",
              ordinary(), outgoing_number);
    assert_string_equal(edit_value(&run.plan, "Message-ID", 2), "(removed)");
    assert_string_equal(run.plan.record.client_message_id.p, "own@example.com");
    outgoing_run_free(&run);
    plan_with(&run,
              PLAIN_HEADERS "Message-ID: <own@example.com>\r\nIn-Reply-To: <parent@example.net>\r\n\r\n",
              ordinary(), outgoing_number);
    msgid_list_read(slice_str(edit_value(&run.plan, "References", 1)), &ids);
    assert_int_equal(ids.count, 3);
    assert_true(slice_is(ids.id[0], "parent@example.net"));
    assert_true(slice_is(ids.id[1], "own@example.com"));
    outgoing_run_free(&run);
}

static void the_return_path_names_the_mail(void **state)
{
    static const struct {
        const char *header, *sender;
        bool replaced;
    } rows[] = {
        {PLAIN_HEADERS "\r\n", "Ann@Example.com", true},
        {PLAIN_HEADERS "\r\n", "ann+news@example.com", true},
        {PLAIN_HEADERS "Precedence: bulk\r\nList-Unsubscribe: <https://example.com/u>\r\n\r\n", "ann@example.com", true},
        {PLAIN_HEADERS "Precedence: list\r\n\r\n", "ann@example.com", false},
        {PLAIN_HEADERS "List-Subscribe: <mailto:l@example.com>\r\n\r\n", "ann@example.com", false},
        {PLAIN_HEADERS "\r\n", "ann@elsewhere.example", false},
        {PLAIN_HEADERS "\r\n", "", false},
        {PLAIN_HEADERS "\r\n", "\"ann b\"@example.com", false},
        {PLAIN_HEADERS "\r\n", "\xc3\xa4nn@example.com", false},
        {PLAIN_HEADERS "X-Spoor-Track: off\r\n\r\n", "ann@example.com", false},
    };

    (void)state;
    conf.stamp.bounce_address = (char *)"bounces+{token}@example.com";
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct outgoing_mail mail = ordinary();
        struct token token;
        struct outgoing_run run;

        mail.envelope_sender = slice_str(rows[row].sender);
        plan_with(&run, rows[row].header, mail, outgoing_number);
        print_message("row %zu\n", row);
        assert_int_equal(run.plan.return_path != NULL, rows[row].replaced);
        if (run.plan.return_path) {
            struct slice path = slice_str(run.plan.return_path);

            assert_true(path.len <= 254 && slice_find_i(path, "@example.com") == 8 + TOKEN_TEXT);
            assert_int_equal(token_verify(keys, address_token(path, TOKEN_BOUNCE), slice_str(""), &token), TOKEN_GOOD);
            assert_true(token.message == run.plan.record.id && token.recipient == run.plan.record.recipient[0].key);
            assert_false(return_path_serves(&conf.local_domains, path));
        }
        outgoing_run_free(&run);
    }
    conf.stamp.bounce_address = (char *)"";
}

/* --- follow-ups of a mail whose id was replaced: it was <own@client.example>, number 77 */

static size_t asked;
static const char *claimed; /* what the cache says that mail left with */

static void sent_ids(void *arg, struct sent_id *ids, size_t count)
{
    (void)arg;
    asked += count;
    for (size_t n = 0; n < count; n++) {
        if (!slice_is_i(ids[n].id, "own@client.example"))
            continue;
        ids[n].message = 77;
        snprintf(ids[n].sent, sizeof ids[n].sent, "%s", claimed);
    }
}

static void signed_id(enum token_kind kind, uint64_t message, char id[SENT_ID_MAX + 1])
{
    struct token token = {.kind = kind, .message = message};
    char text[TOKEN_TEXT + 1];

    assert_true(token_sign(keys, &token, slice_str(""), text));
    snprintf(id, SENT_ID_MAX + 1, "%s@example.com", text);
}

static void plan_follow_up(struct outgoing_run *run, const char *fields)
{
    struct outgoing_settings settings = {.conf = &conf, .keys = keys, .number = outgoing_number, .sent_ids = sent_ids};
    struct outgoing_mail mail = ordinary();
    struct buf header;

    asked = 0;
    buf_init(&header, 10000);
    buf_add_f(&header, "%s%s\r\n", PLAIN_HEADERS, fields);
    header_list_init(&run->headers);
    header_parse(buf_slice(&header), &run->headers);
    mail.headers = &run->headers;
    outgoing_plan_make(&mail, &settings, &run->plan);
    buf_free(&header);
}

static void a_follow_up_names_the_signed_twin(void **state)
{
    static const struct {
        const char *fields;
        const char *parent;     /* expected In-Reply-To, S for the twin; NULL: as it is */
        const char *references; /* how the expected field begins, likewise */
        size_t asked;
    } cases[] = {
        {"In-Reply-To: <own@client.example>\r\nReferences: <own@client.example>\r\n", "<S>", "<own@client.example>\n\t<S>\n\t<", 1},
        {"In-Reply-To: <OWN@client.example>\r\n", "<S>", "<OWN@client.example>\n\t<S>\n\t<", 1},
        {"In-Reply-To: <b@there.example>\r\nReferences: <own@client.example> <b@there.example>\r\n", NULL,
         "<own@client.example>\n\t<S>\n\t<b@there.example>\n\t<", 2},
        {"References: <own@client.example>\r\n", NULL, "<own@client.example>\n\t<S>\n\t<", 1},
        {"In-Reply-To: <own@client.example> <b@there.example>\r\n", NULL, "<", 2},
        {"In-Reply-To: <own@client.example>\r\nIn-Reply-To: <b@there.example>\r\n", NULL, "<", 1},
        {"In-Reply-To: <b@there.example>\r\n", NULL, "<b@there.example>\n\t<", 1},
        {"\r\n", NULL, "<", 0},
    };
    static char twin[SENT_ID_MAX + 1];

    (void)state;
    signed_id(TOKEN_MESSAGE_ID, 77, twin);
    claimed = twin;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        const char *parent;
        struct outgoing_run run;
        struct buf expected;

        print_message("case %zu\n", n);
        plan_follow_up(&run, cases[n].fields);
        parent = edit_value(&run.plan, "In-Reply-To", 1);
        buf_init(&expected, 4096);
        for (const char *c = cases[n].references; *c; c++)
            buf_add_f(&expected, *c == 'S' ? "%s" : "%.1s", *c == 'S' ? twin : c);
        assert_true(slice_starts_i(slice_str(edit_value(&run.plan, "References", 1)), buf_slice(&expected)));
        assert_int_equal(parent != NULL, cases[n].parent != NULL);
        assert_true(!parent || slice_is(slice_of(parent + 1, strlen(parent) - 2), twin));
        assert_int_equal(run.plan.twin, parent != NULL);
        assert_int_equal(asked, cases[n].asked);
        buf_free(&expected);
        outgoing_run_free(&run);
    }
}

static void only_what_was_signed_for_that_mail_is_a_twin(void **state)
{
    static char of_another[SENT_ID_MAX + 1], anchor[SENT_ID_MAX + 1], bad[SENT_ID_MAX + 1], forged[SENT_ID_MAX + 1];
    const char *const claims[] = {"", of_another, anchor, bad, forged, "x@y.example", "x@y.example>\r\nBcc: eve@there.example"};

    (void)state;
    signed_id(TOKEN_MESSAGE_ID, 78, of_another);
    signed_id(TOKEN_ANCHOR, 77, anchor);
    signed_id(TOKEN_MESSAGE_ID, 77, bad);
    memcpy(forged, bad, sizeof forged);
    forged[30] = forged[30] == 'a' ? 'b' : 'a';
    memcpy(strchr(bad, '@'), "@a\nb.c", sizeof "@a\nb.c");
    for (size_t n = 0; n < sizeof claims / sizeof claims[0]; n++) {
        struct outgoing_run run;

        claimed = claims[n];
        plan_follow_up(&run, "In-Reply-To: <own@client.example>\r\n");
        assert_null(edit_value(&run.plan, "In-Reply-To", 1));
        assert_null(strstr(edit_value(&run.plan, "References", 1), "eve@"));
        assert_false(run.plan.twin);
        outgoing_run_free(&run);
    }
}

static int prepare(void **state)
{
    (void)state;
    keys = outgoing_prepare(&conf);
    return keys ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_id_modes),
        cmocka_unit_test(replaced_id_and_parent_go_into_references),
        cmocka_unit_test(the_return_path_names_the_mail),
        cmocka_unit_test(a_follow_up_names_the_signed_twin),
        cmocka_unit_test(only_what_was_signed_for_that_mail_is_a_twin),
    };

    return cmocka_run_group_tests_name("outgoing_id", tests, prepare, clean_up);
}
