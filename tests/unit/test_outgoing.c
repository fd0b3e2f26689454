/* SPDX-License-Identifier: BSD-2-Clause */
/* the ladder of an outgoing mail: whose it is, what it asks for, which headers are set, what is recorded */

#include "common/message_id.h"
#include "common/token.h"
#include "mail/address_token.h"
#include "mail/msgid.h"
#include "mail/outgoing.h"
#include "mail/return_path.h"
#include "mail/tracking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include <cmocka.h>

#define HTML "<html><body><p><a href=\"https://shop.example.org/a\">offer</a></p></body></html>\r\n"
#define PLAIN_HEADERS                                                                                        \
    "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\r\n"    \
    "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"

static struct keys *keys;
static char *local_domain[] = {(char *)"example.com"};
static char *tracked[] = {(char *)"carol@example.com"};
static struct conf conf;

struct run {
    struct header_list headers;
    struct outgoing_plan plan;
};

static bool number(void *arg, uint64_t *id)
{
    (void)arg;
    *id = message_id_compose(1790000000000, 3, 4);
    return true;
}

static bool no_number(void *arg, uint64_t *id)
{
    (void)arg;
    (void)id;
    return false;
}

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

static void plan_with(struct run *run, const char *header, struct outgoing_mail mail,
                      bool (*numbers)(void *, uint64_t *))
{
    struct outgoing_settings settings = {.conf = &conf, .keys = keys, .number = numbers};

    header_list_init(&run->headers);
    header_parse(slice_str(header), &run->headers);
    mail.headers = &run->headers;
    outgoing_plan_make(&mail, &settings, &run->plan);
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

static void plan_follow_up(struct run *run, const char *fields)
{
    struct outgoing_settings settings = {.conf = &conf, .keys = keys, .number = number, .sent_ids = sent_ids};
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

static void run_free(struct run *run)
{
    outgoing_plan_free(&run->plan);
    header_list_free(&run->headers);
}

static const char *edit_value(const struct outgoing_plan *plan, const char *name, unsigned nth)
{
    for (size_t at = 0; at < plan->edits; at++)
        if (plan->edit[at].nth == nth && strcasecmp(plan->edit[at].name, name) == 0)
            return plan->edit[at].value ? plan->edit[at].value : "(removed)";
    return NULL;
}

static struct token token_of(struct slice id)
{
    struct token token;
    const char *at = memchr(id.p, '@', id.len);

    assert_non_null(at);
    assert_int_equal(token_verify(keys, slice_of(id.p, (size_t)(at - id.p)), slice_str(""), &token), TOKEN_GOOD);
    return token;
}

static void assert_way(const char *header, const char *expected)
{
    struct run run;
    struct buf way;

    plan_with(&run, header, ordinary(), number);
    buf_init(&way, 2000);
    assert_true(way_print(&run.plan.way, &way));
    assert_string_equal(buf_text(&way), expected);
    buf_free(&way);
    run_free(&run);
}

static void the_plan_tells_the_steps_it_went(void **state)
{
    (void)state;
    assert_way(PLAIN_HEADERS "Auto-Submitted: auto-replied\r\n\r\n",
               "strange_pass, ours, campaign, controls, automatic: auto_submitted");
    assert_way("From: Ann <ann@example.com>\r\nMIME-Version: 1.0\r\n"
               "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\r\n\r\n",
               "strange_pass, ours, campaign, controls, automatic, wishes, policy, degree: signed, number, recipients,"
               " message_id, references, unsubscribe, documents, body, record, pass_on, return_path");
}

static void reasons(void **state)
{
    static const struct {
        const char *header;
        const char *login;
        bool network;
        const char *envelope_sender;
        const char *reason;
    } rows[] = {
        {PLAIN_HEADERS "\r\n", "", true, "ann@example.com", NULL},
        {PLAIN_HEADERS "\r\n", "", false, "ann@example.com", "not_submitted"},
        {PLAIN_HEADERS "\r\n", "ann", false, "ann@example.com", NULL},
        {"From: eve@elsewhere.example\r\n\r\n", "ann", true, "ann@example.com", "foreign_from"},
        {"To: bob@example.net\r\n\r\n", "ann", true, "ann@example.com", "no_from"},
        {PLAIN_HEADERS "Resent-From: x@example.com\r\n\r\n", "", true, "ann@example.com", "resent"},
        {PLAIN_HEADERS "List-Id: <l.example.com>\r\n\r\n", "", true, "ann@example.com", "list"},
        {PLAIN_HEADERS "List-Post: <mailto:l@example.com>\r\n\r\n", "", true, "ann@example.com", "list"},
        {PLAIN_HEADERS "ARC-Seal: i=1\r\n\r\n", "", true, "ann@example.com", "arc"},
        {PLAIN_HEADERS "DKIM-Signature: v=1\r\n\r\n", "", true, "ann@example.com", "dkim_signed"},
        {PLAIN_HEADERS "Auto-Submitted: auto-replied\r\n\r\n", "", true, "ann@example.com", "auto_submitted"},
        {PLAIN_HEADERS "Auto-Submitted: no\r\n\r\n", "", true, "ann@example.com", NULL},
        {PLAIN_HEADERS "\r\n", "", true, "", "null_sender"},
        {PLAIN_HEADERS "X-Spoor-Track: off\r\n\r\n", "", true, "ann@example.com", "policy_off"},
        {PLAIN_HEADERS "X-Spoor-Track: no thanks\r\n\r\n", "", true, "ann@example.com", "unknown_wish"},
        {PLAIN_HEADERS "Auto-Submitted: no\r\nAuto-Submitted: (x) auto-replied\r\n\r\n", "", true, "ann@example.com",
         "auto_submitted"},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct outgoing_mail mail = ordinary();
        struct run run;

        mail.login = slice_str(rows[row].login);
        mail.from_submit_network = rows[row].network;
        mail.envelope_sender = slice_str(rows[row].envelope_sender);
        plan_with(&run, rows[row].header, mail, number);
        print_message("row %zu\n", row);
        if (rows[row].reason)
            assert_string_equal(run.plan.reason, rows[row].reason);
        else
            assert_null(run.plan.reason);
        assert_int_equal(run.plan.tracked, rows[row].reason == NULL);
        run_free(&run);
    }
}

static void all_is_added_to_an_ordinary_mail(void **state)
{
    struct run run;
    struct token token;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    assert_true(run.plan.tracked && run.plan.id_replaced && run.plan.rewrite.changed);
    assert_int_equal(run.plan.rewrite.pixels, 1);
    assert_int_equal(run.plan.rewrite.wrapped, 1);
    msgid_list_read(slice_str(edit_value(&run.plan, "Message-ID", 1)), &ids);
    token = token_of(ids.id[0]);
    assert_int_equal(token.kind, TOKEN_MESSAGE_ID);
    assert_true(token.message == message_id_compose(1790000000000, 3, 4));
    assert_int_equal(token.recipient, keys_recipient(keys, slice_str("bob@example.net")));
    ids.count = 0;
    msgid_list_read(slice_str(edit_value(&run.plan, "References", 1)), &ids);
    assert_int_equal(ids.count, 1);
    assert_int_equal(token_of(ids.id[0]).kind, TOKEN_ANCHOR);
    assert_string_equal(run.plan.record.subject.p, "Angebot f\xc3\xbcr Sie");
    assert_string_equal(run.plan.record.owner.p, "ann@example.com");
    assert_int_equal(run.plan.record.links, 1);
    assert_true(slice_is(run.plan.record.link[0].destination, "https://shop.example.org/a"));
    run_free(&run);
}

/* Is there a decoy of ours in the new body? Its token, which is good, into TOKEN. */
static bool find_decoy(const struct outgoing_plan *plan, struct token *token)
{
    static const char begin[] = "<a href=\"", end[] = "\" aria-hidden=\"true\" tabindex=\"-1\"></a><img ";
    struct slice body = buf_slice(&plan->rewrite.body);
    size_t at = slice_find_i(body, end), from = at;
    struct buf destination;
    bool good;

    if (at == (size_t)-1)
        return false;
    while (!slice_starts_i(slice_from(body, from), slice_str(begin)))
        from--;
    from += strlen(begin);
    buf_init(&destination, DESTINATION_MAX);
    good = tracking_verify_url(keys, conf.tracking_url, slice_of(body.p + from, at - from), token, &destination) == TOKEN_GOOD;
    assert_true(good && slice_is(buf_slice(&destination), conf.tracking_url));
    buf_free(&destination);
    return true;
}

static void a_decoy_is_a_click_of_its_own(void **state)
{
    struct token token;
    struct run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    assert_false(find_decoy(&run.plan, &token));
    run_free(&run);
    conf.stamp.decoy_link = true;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    assert_true(find_decoy(&run.plan, &token));
    assert_int_equal(token.kind, TOKEN_CLICK);
    assert_int_equal(token.index, TOKEN_DECOY_INDEX);
    assert_true(token.message == message_id_compose(1790000000000, 3, 4));
    assert_int_equal(token.recipient, keys_recipient(keys, slice_str("bob@example.net")));
    assert_int_equal(run.plan.record.links, 1);
    run_free(&run);
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: no-links\r\n\r\n", ordinary(), number);
    assert_false(find_decoy(&run.plan, &token));
    run_free(&run);
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: no-views\r\n\r\n", ordinary(), number);
    assert_false(find_decoy(&run.plan, &token));
    run_free(&run);
    conf.stamp.decoy_link = false;
}

/* As spoor-match cleans an answer, and spoor-stamp the next one. */
static void a_quoted_decoy_is_taken_out_by_its_token(void **state)
{
    struct tracking tracking = {.keys = keys, .tracking_url = conf.tracking_url};
    struct rewrite_settings clean = {
        .urls = tracking_urls(&tracking), .tracking_url = conf.tracking_url, .clean = true, .body_limit = 1000000};
    struct outgoing_mail answer = ordinary();
    struct rewrite_result cleaned;
    struct token token;
    struct run run, next;

    (void)state;
    conf.stamp.decoy_link = true;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    conf.stamp.decoy_link = false;
    assert_true(rewrite(&run.headers, buf_slice(&run.plan.rewrite.body), &clean, &cleaned));
    assert_true(slice_is(buf_slice(&cleaned.body), HTML));
    assert_int_equal(cleaned.cleaned, 3);
    answer.body = buf_slice(&run.plan.rewrite.body);
    plan_with(&next, PLAIN_HEADERS "\r\n", answer, number);
    assert_int_equal(next.plan.rewrite.pixels, 1);
    assert_false(find_decoy(&next.plan, &token));
    run_free(&next);
    rewrite_result_free(&cleaned);
    run_free(&run);
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
        struct run run;

        print_message("row %zu\n", row);
        snprintf(header, sizeof header, PLAIN_HEADERS "%s\r\n", rows[row].header);
        conf.stamp.message_id = rows[row].mode;
        plan_with(&run, header, ordinary(), number);
        assert_int_equal(run.plan.id_replaced, rows[row].replaced);
        assert_int_equal(edit_value(&run.plan, "Message-ID", 1) != NULL, rows[row].replaced);
        assert_non_null(edit_value(&run.plan, "References", 1));
        run_free(&run);
    }
    conf.stamp.message_id = MESSAGE_ID_AUTO;
}

static void replaced_id_and_parent_go_into_references(void **state)
{
    struct run run;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run,
              PLAIN_HEADERS "Message-ID: <own@example.com>\r\nMessage-Id: <twice@example.com>\r\n"
                            "In-Reply-To: <parent@example.net>\r\n\r\n",
              ordinary(), number);
    assert_string_equal(edit_value(&run.plan, "Message-ID", 2), "(removed)");
    assert_string_equal(run.plan.record.client_message_id.p, "own@example.com");
    run_free(&run);
    plan_with(&run,
              PLAIN_HEADERS "Message-ID: <own@example.com>\r\nIn-Reply-To: <parent@example.net>\r\n\r\n",
              ordinary(), number);
    msgid_list_read(slice_str(edit_value(&run.plan, "References", 1)), &ids);
    assert_int_equal(ids.count, 3);
    assert_true(slice_is(ids.id[0], "parent@example.net"));
    assert_true(slice_is(ids.id[1], "own@example.com"));
    run_free(&run);
}

static void controls_are_removed_also_from_untracked_mail(void **state)
{
    struct run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: off\r\nX-Spoor-Track: aggregate\r\nX-Spoor-Campaign: spring\r\n\r\n",
              ordinary(), number);
    assert_int_equal(run.plan.edits, 3);
    assert_string_equal(run.plan.edit[1].name, "X-Spoor-Track");
    assert_int_equal(run.plan.edit[1].nth, 2); /* the last first */
    assert_int_equal(run.plan.edit[2].nth, 1);
    assert_false(run.plan.tracked);
    run_free(&run);
}

static void not_ours_has_no_edit_at_all(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    mail.from_submit_network = false;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: off\r\n\r\n", mail, number);
    assert_int_equal(run.plan.edits, 0);
    assert_false(run.plan.rewrite.changed);
    run_free(&run);
}

static void aggregate_names_nobody(void **state)
{
    struct run run;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: aggregate, no-links\r\n\r\n", ordinary(), number);
    assert_int_equal(run.plan.record.recipients, 0);
    assert_int_equal(run.plan.record.sent_to, 1);
    assert_int_equal(run.plan.record.level, LEVEL_AGGREGATE);
    assert_int_equal(run.plan.rewrite.wrapped, 0);
    assert_int_equal(run.plan.rewrite.pixels, 1);
    msgid_list_read(slice_str(edit_value(&run.plan, "Message-ID", 1)), &ids);
    assert_int_equal(token_of(ids.id[0]).recipient, 0);
    run_free(&run);
}

static void other_senders_marks_are_honoured(void **state)
{
    static const struct {
        const char *header;
        unsigned pixels, links;
    } rows[] = {
        {"X-Mailgun-Track: no\r\n", 0, 0},
        {"X-Mailgun-Track-Clicks: no\r\n", 1, 0},
        {"X-PM-TrackOpens: false\r\n", 0, 1},
        {"X-PM-TrackLinks: None\r\n", 1, 0},
        {"X-MC-Track: none\r\n", 0, 0},
        {"X-MC-Track: opens\r\n", 1, 0},
        {"X-MSYS-API: {\"options\":{\"open_tracking\" : false}}\r\n", 0, 1},
        {"X-SMTPAPI: {\"filters\":{\"opentrack\":{\"settings\":{\"enable\":0}}}}\r\n", 0, 1},
        {"X-SMTPAPI: {\"filters\":{\"clicktrack\":{\"settings\":{\"enable\" : 0}}}}\r\n", 1, 0},
        {"X-SMTPAPI: {\"filters\":{\"clicktrack\":{\"settings\":{\"enable\":1}}}}\r\n", 1, 1},
        {"X-Spoor-Track: no-views\r\n", 0, 1},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        char header[1000];
        struct run run;

        print_message("row %zu\n", row);
        snprintf(header, sizeof header, PLAIN_HEADERS "%s\r\n", rows[row].header);
        plan_with(&run, header, ordinary(), number);
        assert_int_equal(run.plan.rewrite.pixels, rows[row].pixels);
        assert_int_equal(run.plan.rewrite.wrapped, rows[row].links);
        run_free(&run);
    }
}

static void several_recipients_share_a_token_that_names_none(void **state)
{
    const struct slice recipient[] = {slice_str("bob@example.net"), slice_str("<BOB@Example.NET>"),
                                      slice_str("cy@example.org")};
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    mail.recipient = recipient;
    mail.recipients = 3;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, number);
    assert_int_equal(run.plan.record.recipients, 2);
    assert_int_not_equal(run.plan.record.recipient[0].key, 0);
    assert_int_not_equal(run.plan.record.recipient[0].key, run.plan.record.recipient[1].key);
    run_free(&run);
}

static void an_unreadable_recipient_reads_the_same_body(void **state)
{
    const struct slice recipient[] = {slice_str("bob@example.net"), slice_str("root")};
    struct outgoing_mail mail = ordinary();
    struct msgid_list ids = {.count = 0};
    struct run run;

    (void)state;
    mail.recipient = recipient;
    mail.recipients = 2;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, number);
    assert_int_equal(run.plan.record.sent_to, 2);
    msgid_list_read(slice_str(edit_value(&run.plan, "Message-ID", 1)), &ids);
    assert_int_equal(token_of(ids.id[0]).recipient, 0);
    run_free(&run);
}

static void a_link_without_room_does_not_hide_the_others(void **state)
{
    static char body[3000];
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    snprintf(body, sizeof body,
             "<html><body><a href=\"https://a.example.org/%0900d\">a</a>\r\n<a href=\"https://b.example.org/\">b</a>\r\n"
             "<a href=\"https://c.example.org/\">c</a></body></html>\r\n",
             7);
    mail.body = slice_str(body);
    plan_with(&run, PLAIN_HEADERS "Content-Transfer-Encoding: 8bit\r\n\r\n", mail, number);
    assert_int_equal(run.plan.rewrite.wrapped, 2);
    assert_int_equal(run.plan.record.links, 2);
    assert_true(slice_is(run.plan.record.link[0].destination, "https://b.example.org/"));
    run_free(&run);
}

static void a_record_holds_what_it_can_of_many_long_links(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct buf body;
    struct buf payload;
    struct run run;

    (void)state;
    buf_init(&body, 4000000);
    buf_add_str(&body, "<html><body>\r\n");
    for (int n = 0; n < 1900; n++)
        buf_add_f(&body, "<a href=\"https://a.example.org/%d/%0600d\">a</a>\r\n", n, 7);
    buf_add_str(&body, "</body></html>\r\n");
    mail.body = buf_slice(&body);
    conf.stamp.body_limit = 10000000;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, number);
    buf_init(&payload, RECORD_BYTES_MAX);
    assert_int_equal(run.plan.rewrite.wrapped, 1900);
    assert_true(run.plan.record.links > 1000);
    assert_true(record_message_encode(&run.plan.record, &payload));
    conf.stamp.body_limit = 1000000;
    run_free(&run);
    buf_free(&payload);
    buf_free(&body);
}

/* psql knows it by the same words, whatever program wrote the field. */
static void a_campaign_has_one_name_however_it_is_written(void **state)
{
    static const struct {
        const char *field;
        const char *name;
    } cases[] = {
        {" spring news ", "spring news"},
        {" spring\r\n news", "spring news"},
        {"\r\n\tspring\r\n\t news\t", "spring news"},
        {" =?utf-8?q?Fr=C3=BChling?= 2026", "Fr\xc3\xbchling 2026"},
        {" =?utf-8?q?Fr=C3=BC?=\r\n =?utf-8?q?hling?=", "Fr\xc3\xbchling"},
        {" spring\r\nX-Spoor-Campaign: summer", "spring"},
        {" =?utf-8?q?_?=", ""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        char mail[2000];
        struct run run;

        snprintf(mail, sizeof mail, PLAIN_HEADERS "X-Spoor-Campaign:%s\r\n\r\n", cases[n].field);
        plan_with(&run, mail, ordinary(), number);
        assert_true(slice_is(run.plan.record.campaign, cases[n].name));
        run_free(&run);
    }
}

static void a_campaigns_mail_can_be_unsubscribed_from(void **state)
{
    static const struct {
        const char *header;
        bool off;
        const char *body_missing;
        enum list_unsubscribe_offer offer;
        const char *post; /* its List-Unsubscribe-Post */
    } rows[] = {
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\n\r\n", false, NULL, LIST_UNSUBSCRIBE_BY_CLICK, "List-Unsubscribe=One-Click"},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\n\r\n", false, "body_limit", LIST_UNSUBSCRIBE_BY_CLICK,
         "List-Unsubscribe=One-Click"},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\nList-Unsubscribe-Post: x\r\n\r\n", false, NULL, LIST_UNSUBSCRIBE_BY_CLICK,
         "List-Unsubscribe=One-Click"},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\n\r\n", true, NULL, LIST_UNSUBSCRIBE_NONE, NULL},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\nList-Unsubscribe: <https://a.example/>\r\n\r\n", false, NULL,
         LIST_UNSUBSCRIBE_NONE, NULL},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\nX-Spoor-Track: aggregate\r\n\r\n", false, NULL, LIST_UNSUBSCRIBE_BY_MAIL, NULL},
        {PLAIN_HEADERS "X-Spoor-Campaign: spring\r\nDKIM-Signature: v=1\r\n\r\n", false, NULL, LIST_UNSUBSCRIBE_NONE, NULL},
        {PLAIN_HEADERS "X-Spoor-Campaign: \r\n\r\n", false, NULL, LIST_UNSUBSCRIBE_NONE, NULL},
        {PLAIN_HEADERS "\r\n", false, NULL, LIST_UNSUBSCRIBE_NONE, NULL},
    };

    (void)state;
    conf.unsubscribe_address = (char *)"unsubscribe@example.com";
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        struct outgoing_mail mail = ordinary();
        const char *post;
        struct run run;

        print_message("row %zu\n", row);
        conf.stamp.list_unsubscribe = !rows[row].off;
        mail.body_missing = rows[row].body_missing;
        plan_with(&run, rows[row].header, mail, number);
        assert_int_equal(run.plan.unsubscribe, rows[row].offer);
        assert_int_equal(edit_value(&run.plan, "List-Unsubscribe", 1) != NULL, rows[row].offer != LIST_UNSUBSCRIBE_NONE);
        post = edit_value(&run.plan, "List-Unsubscribe-Post", 1);
        assert_string_equal(post ? post : "-", rows[row].post ? rows[row].post : "-");
        run_free(&run);
    }
    conf.unsubscribe_address = (char *)"";
    conf.stamp.list_unsubscribe = false;
}

static void a_folded_subject_is_one_line(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    plan_with(&run, "From: ann@example.com\r\nSubject: an offer\r\n that is =?utf-8?q?f=C3=BCr?=\r\n =?utf-8?q?_Sie?=\r\n"
                    "Content-Type: text/html\r\n\r\n",
              mail, number);
    assert_string_equal(run.plan.record.subject.p, "an offer that is f\xc3\xbcr Sie");
    run_free(&run);
}

static void colleagues_get_neither_pixel_nor_links(void **state)
{
    const struct slice recipient[] = {slice_str("dan@example.com")};
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    mail.recipient = recipient;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, number);
    assert_string_equal(run.plan.reason, "local_recipients");
    assert_true(run.plan.tracked);
    assert_false(run.plan.rewrite.changed);
    run_free(&run);
}

static void a_missing_body_still_gets_headers(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct run run;

    (void)state;
    mail.body = slice_str("");
    mail.body_missing = "body_limit";
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, number);
    assert_string_equal(run.plan.reason, "body_limit");
    assert_true(run.plan.tracked && run.plan.id_replaced);
    assert_false(run.plan.rewrite.changed);
    run_free(&run);
}

static void no_number_leaves_the_mail_alone(void **state)
{
    struct run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), no_number);
    assert_string_equal(run.plan.reason, "no_number");
    assert_false(run.plan.tracked);
    assert_int_equal(run.plan.edits, 0);
    run_free(&run);
}

static void track_only_starts_with_a_few(void **state)
{
    struct run run;

    (void)state;
    conf.track_only = (struct conf_list){.item = tracked, .count = 1};
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    assert_string_equal(run.plan.reason, "track_only");
    run_free(&run);
    tracked[0] = (char *)"ann@example.com";
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), number);
    assert_null(run.plan.reason);
    run_free(&run);
    conf.track_only.count = 0;
}

static int prepare(void **state)
{
    char path[] = "/tmp/spoor-test-keys-XXXXXX";
    struct buf error;
    int fd = mkstemp(path);

    (void)state;
    if (fd < 0)
        return -1;
    close(fd);
    unlink(path);
    buf_init(&error, 1000);
    if (keys_create(path, &error))
        keys = keys_load(path, &error);
    unlink(path);
    buf_free(&error);
    conf.tracking_url = (char *)"https://t.example.com";
    conf.unsubscribe_address = (char *)"";
    conf.local_domains = (struct conf_list){.item = local_domain, .count = 1};
    conf.stamp.message_id_domain = (char *)"t.example.com";
    conf.stamp.bounce_address = (char *)"";
    conf.stamp.body_limit = 1000000;
    conf.stamp.views = conf.stamp.links = true;
    return keys ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    keys_free(keys);
    return 0;
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
        struct run run;

        mail.envelope_sender = slice_str(rows[row].sender);
        plan_with(&run, rows[row].header, mail, number);
        print_message("row %zu\n", row);
        assert_int_equal(run.plan.return_path != NULL, rows[row].replaced);
        if (run.plan.return_path) {
            struct slice path = slice_str(run.plan.return_path);

            assert_true(path.len <= 254 && slice_find_i(path, "@example.com") == 8 + TOKEN_TEXT);
            assert_int_equal(token_verify(keys, address_token(path, TOKEN_BOUNCE), slice_str(""), &token), TOKEN_GOOD);
            assert_true(token.message == run.plan.record.id && token.recipient == run.plan.record.recipient[0].key);
            assert_false(return_path_serves(&conf.local_domains, path));
        }
        run_free(&run);
    }
    conf.stamp.bounce_address = (char *)"";
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
        struct run run;
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
        run_free(&run);
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
        struct run run;

        claimed = claims[n];
        plan_follow_up(&run, "In-Reply-To: <own@client.example>\r\n");
        assert_null(edit_value(&run.plan, "In-Reply-To", 1));
        assert_null(strstr(edit_value(&run.plan, "References", 1), "eve@"));
        assert_false(run.plan.twin);
        run_free(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follow_up_names_the_signed_twin),
        cmocka_unit_test(only_what_was_signed_for_that_mail_is_a_twin),
        cmocka_unit_test(reasons),
        cmocka_unit_test(all_is_added_to_an_ordinary_mail),
        cmocka_unit_test(a_decoy_is_a_click_of_its_own),
        cmocka_unit_test(a_quoted_decoy_is_taken_out_by_its_token),
        cmocka_unit_test(message_id_modes),
        cmocka_unit_test(replaced_id_and_parent_go_into_references),
        cmocka_unit_test(controls_are_removed_also_from_untracked_mail),
        cmocka_unit_test(not_ours_has_no_edit_at_all),
        cmocka_unit_test(aggregate_names_nobody),
        cmocka_unit_test(other_senders_marks_are_honoured),
        cmocka_unit_test(several_recipients_share_a_token_that_names_none),
        cmocka_unit_test(an_unreadable_recipient_reads_the_same_body),
        cmocka_unit_test(a_link_without_room_does_not_hide_the_others),
        cmocka_unit_test(a_record_holds_what_it_can_of_many_long_links),
        cmocka_unit_test(a_campaign_has_one_name_however_it_is_written),
        cmocka_unit_test(a_campaigns_mail_can_be_unsubscribed_from),
        cmocka_unit_test(a_folded_subject_is_one_line),
        cmocka_unit_test(colleagues_get_neither_pixel_nor_links),
        cmocka_unit_test(a_missing_body_still_gets_headers),
        cmocka_unit_test(no_number_leaves_the_mail_alone),
        cmocka_unit_test(the_plan_tells_the_steps_it_went),
        cmocka_unit_test(track_only_starts_with_a_few),
        cmocka_unit_test(the_return_path_names_the_mail),
    };

    return cmocka_run_group_tests_name("outgoing", tests, prepare, clean_up);
}
