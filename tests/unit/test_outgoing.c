/* SPDX-License-Identifier: BSD-2-Clause */
/* the ladder of an outgoing mail: whose it is, what it asks for, which headers are set, what is recorded */

#include "common/message_id.h"
#include "common/token.h"
#include "mail/msgid.h"
#include "mail/return_path.h"
#include "mail/tracking.h"
#include "tests/unit/outgoing_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

#define HTML "<html><body><p><a href=\"https://shop.example.org/a\">offer</a></p></body></html>\r\n"
#define PLAIN_HEADERS                                                                                        \
    "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nSubject: =?utf-8?q?Angebot_f=C3=BCr_Sie?=\r\n"    \
    "MIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n"

static struct keys *keys;
static char *tracked[] = {(char *)"carol@example.com"};
static struct conf conf;

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
    struct outgoing_run run;
    struct buf way;

    plan_with(&run, header, ordinary(), outgoing_number);
    buf_init(&way, 2000);
    assert_true(way_print(&run.plan.way, &way));
    assert_string_equal(buf_text(&way), expected);
    buf_free(&way);
    outgoing_run_free(&run);
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
        struct outgoing_run run;

        mail.login = slice_str(rows[row].login);
        mail.from_submit_network = rows[row].network;
        mail.envelope_sender = slice_str(rows[row].envelope_sender);
        plan_with(&run, rows[row].header, mail, outgoing_number);
        print_message("row %zu\n", row);
        if (rows[row].reason)
            assert_string_equal(run.plan.reason, rows[row].reason);
        else
            assert_null(run.plan.reason);
        assert_int_equal(run.plan.tracked, rows[row].reason == NULL);
        outgoing_run_free(&run);
    }
}

static void assert_owner(const struct outgoing_settings *settings, const char *login, const char *owner)
{
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    mail.login = slice_str(login);
    header_list_init(&run.headers);
    header_parse(slice_str(PLAIN_HEADERS "\r\n"), &run.headers);
    mail.headers = &run.headers;
    outgoing_plan_make(&mail, settings, &run.plan);
    print_message("%s\n", login);
    assert_true(slice_is(run.plan.record.owner, owner));
    outgoing_run_free(&run);
}

static void the_owner_is_whose_login_it_is(void **state)
{
    struct policy *policy = policy_parse(slice_str("login\tbob\tbob@example.com\nlogin\tteam@example.com\tcy@example.com\n"
                                                   "policy\tsender\tbob@example.com\toff\t\t\t\t\t\n"),
                                         NULL, NULL);
    struct outgoing_settings settings = {.conf = &conf, .keys = keys, .number = outgoing_number, .policy = policy};

    (void)state;
    assert_owner(&settings, "BOB", "bob@example.com");
    assert_owner(&settings, "team@example.com", "cy@example.com");
    assert_owner(&settings, "Dan@Example.com", "dan@example.com");
    assert_owner(&settings, "nobody", "ann@example.com"); /* the envelope's */
    assert_owner(&settings, "", "ann@example.com");
    policy_let_go(policy);
}

/* Campaign stops and the removal of our headers do not depend on it. */
static void nobody_is_tracked_while_policy_is_unknown(void **state)
{
    struct policy *policies[] = {policy_unknown(), NULL};

    (void)state;
    for (size_t row = 0; row < 2; row++) {
        struct outgoing_settings settings = {
            .conf = &conf, .keys = keys, .number = outgoing_number, .policy = policies[row], .forgotten_unknown = row == 1};
        struct outgoing_mail mail = ordinary();
        struct outgoing_run run;

        header_list_init(&run.headers);
        header_parse(slice_str(PLAIN_HEADERS "X-Spoor-Campaign: spring\r\n\r\n"), &run.headers);
        mail.headers = &run.headers;
        outgoing_plan_make(&mail, &settings, &run.plan);
        assert_string_equal(run.plan.reason, "policy_unknown");
        assert_false(run.plan.tracked || run.plan.rewrite.changed || run.plan.failed);
        assert_int_equal(run.plan.edits, run.plan.controls);
        assert_int_equal(run.plan.edits, 1);
        assert_true(slice_is(run.plan.record.campaign, "spring"));
        outgoing_run_free(&run);
        policy_let_go(policies[row]);
    }
}

static void all_is_added_to_an_ordinary_mail(void **state)
{
    struct outgoing_run run;
    struct token token;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
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
    outgoing_run_free(&run);
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
    struct outgoing_run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
    assert_false(find_decoy(&run.plan, &token));
    outgoing_run_free(&run);
    conf.stamp.decoy_link = true;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
    assert_true(find_decoy(&run.plan, &token));
    assert_int_equal(token.kind, TOKEN_CLICK);
    assert_int_equal(token.index, TOKEN_DECOY_INDEX);
    assert_true(token.message == message_id_compose(1790000000000, 3, 4));
    assert_int_equal(token.recipient, keys_recipient(keys, slice_str("bob@example.net")));
    assert_int_equal(run.plan.record.links, 1);
    outgoing_run_free(&run);
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: no-links\r\n\r\n", ordinary(), outgoing_number);
    assert_false(find_decoy(&run.plan, &token));
    outgoing_run_free(&run);
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: no-views\r\n\r\n", ordinary(), outgoing_number);
    assert_false(find_decoy(&run.plan, &token));
    outgoing_run_free(&run);
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
    struct outgoing_run run, next;

    (void)state;
    conf.stamp.decoy_link = true;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
    conf.stamp.decoy_link = false;
    assert_true(rewrite(&run.headers, buf_slice(&run.plan.rewrite.body), &clean, &cleaned));
    assert_true(slice_is(buf_slice(&cleaned.body), HTML));
    assert_int_equal(cleaned.cleaned, 3);
    answer.body = buf_slice(&run.plan.rewrite.body);
    plan_with(&next, PLAIN_HEADERS "\r\n", answer, outgoing_number);
    assert_int_equal(next.plan.rewrite.pixels, 1);
    assert_false(find_decoy(&next.plan, &token));
    outgoing_run_free(&next);
    rewrite_result_free(&cleaned);
    outgoing_run_free(&run);
}

static void controls_are_removed_also_from_untracked_mail(void **state)
{
    struct outgoing_run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: off\r\nX-Spoor-Track: aggregate\r\nX-Spoor-Campaign: spring\r\n\r\n",
              ordinary(), outgoing_number);
    assert_int_equal(run.plan.edits, 3);
    assert_string_equal(run.plan.edit[1].name, "X-Spoor-Track");
    assert_int_equal(run.plan.edit[1].nth, 2); /* the last first */
    assert_int_equal(run.plan.edit[2].nth, 1);
    assert_false(run.plan.tracked);
    outgoing_run_free(&run);
}

static void not_ours_has_no_edit_at_all(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    mail.from_submit_network = false;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: off\r\n\r\n", mail, outgoing_number);
    assert_int_equal(run.plan.edits, 0);
    assert_false(run.plan.rewrite.changed);
    outgoing_run_free(&run);
}

static void aggregate_names_nobody(void **state)
{
    struct outgoing_run run;
    struct msgid_list ids = {.count = 0};

    (void)state;
    plan_with(&run, PLAIN_HEADERS "X-Spoor-Track: aggregate, no-links\r\n\r\n", ordinary(), outgoing_number);
    assert_int_equal(run.plan.record.recipients, 0);
    assert_int_equal(run.plan.record.sent_to, 1);
    assert_int_equal(run.plan.record.level, LEVEL_AGGREGATE);
    assert_int_equal(run.plan.rewrite.wrapped, 0);
    assert_int_equal(run.plan.rewrite.pixels, 1);
    msgid_list_read(slice_str(edit_value(&run.plan, "Message-ID", 1)), &ids);
    assert_int_equal(token_of(ids.id[0]).recipient, 0);
    outgoing_run_free(&run);
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
        struct outgoing_run run;

        print_message("row %zu\n", row);
        snprintf(header, sizeof header, PLAIN_HEADERS "%s\r\n", rows[row].header);
        plan_with(&run, header, ordinary(), outgoing_number);
        assert_int_equal(run.plan.rewrite.pixels, rows[row].pixels);
        assert_int_equal(run.plan.rewrite.wrapped, rows[row].links);
        outgoing_run_free(&run);
    }
}

static void several_recipients_share_a_token_that_names_none(void **state)
{
    const struct slice recipient[] = {slice_str("bob@example.net"), slice_str("<BOB@Example.NET>"),
                                      slice_str("cy@example.org")};
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    mail.recipient = recipient;
    mail.recipients = 3;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, outgoing_number);
    assert_int_equal(run.plan.record.recipients, 2);
    assert_int_not_equal(run.plan.record.recipient[0].key, 0);
    assert_int_not_equal(run.plan.record.recipient[0].key, run.plan.record.recipient[1].key);
    outgoing_run_free(&run);
}

static void an_unreadable_recipient_reads_the_same_body(void **state)
{
    const struct slice recipient[] = {slice_str("bob@example.net"), slice_str("root")};
    struct outgoing_mail mail = ordinary();
    struct msgid_list ids = {.count = 0};
    struct outgoing_run run;

    (void)state;
    mail.recipient = recipient;
    mail.recipients = 2;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, outgoing_number);
    assert_int_equal(run.plan.record.sent_to, 2);
    msgid_list_read(slice_str(edit_value(&run.plan, "Message-ID", 1)), &ids);
    assert_int_equal(token_of(ids.id[0]).recipient, 0);
    outgoing_run_free(&run);
}

static void a_link_without_room_does_not_hide_the_others(void **state)
{
    static char body[3000];
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    snprintf(body, sizeof body,
             "<html><body><a href=\"https://a.example.org/%0900d\">a</a>\r\n<a href=\"https://b.example.org/\">b</a>\r\n"
             "<a href=\"https://c.example.org/\">c</a></body></html>\r\n",
             7);
    mail.body = slice_str(body);
    plan_with(&run, PLAIN_HEADERS "Content-Transfer-Encoding: 8bit\r\n\r\n", mail, outgoing_number);
    assert_int_equal(run.plan.rewrite.wrapped, 2);
    assert_int_equal(run.plan.record.links, 2);
    assert_true(slice_is(run.plan.record.link[0].destination, "https://b.example.org/"));
    outgoing_run_free(&run);
}

static void a_record_holds_what_it_can_of_many_long_links(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct buf body;
    struct buf payload;
    struct outgoing_run run;

    (void)state;
    buf_init(&body, 4000000);
    buf_add_str(&body, "<html><body>\r\n");
    for (int n = 0; n < 1900; n++)
        buf_add_f(&body, "<a href=\"https://a.example.org/%d/%0600d\">a</a>\r\n", n, 7);
    buf_add_str(&body, "</body></html>\r\n");
    mail.body = buf_slice(&body);
    conf.stamp.body_limit = 10000000;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, outgoing_number);
    buf_init(&payload, RECORD_BYTES_MAX);
    assert_int_equal(run.plan.rewrite.wrapped, 1900);
    assert_true(run.plan.record.links > 1000);
    assert_true(record_message_encode(&run.plan.record, &payload));
    conf.stamp.body_limit = 1000000;
    outgoing_run_free(&run);
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
        struct outgoing_run run;

        snprintf(mail, sizeof mail, PLAIN_HEADERS "X-Spoor-Campaign:%s\r\n\r\n", cases[n].field);
        plan_with(&run, mail, ordinary(), outgoing_number);
        assert_true(slice_is(run.plan.record.campaign, cases[n].name));
        outgoing_run_free(&run);
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
        struct outgoing_run run;

        print_message("row %zu\n", row);
        conf.stamp.list_unsubscribe = !rows[row].off;
        mail.body_missing = rows[row].body_missing;
        plan_with(&run, rows[row].header, mail, outgoing_number);
        assert_int_equal(run.plan.unsubscribe, rows[row].offer);
        assert_int_equal(edit_value(&run.plan, "List-Unsubscribe", 1) != NULL, rows[row].offer != LIST_UNSUBSCRIBE_NONE);
        post = edit_value(&run.plan, "List-Unsubscribe-Post", 1);
        assert_string_equal(post ? post : "-", rows[row].post ? rows[row].post : "-");
        outgoing_run_free(&run);
    }
    conf.unsubscribe_address = (char *)"";
    conf.stamp.list_unsubscribe = false;
}

static void a_folded_subject_is_one_line(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    plan_with(&run, "From: ann@example.com\r\nSubject: an offer\r\n that is =?utf-8?q?f=C3=BCr?=\r\n =?utf-8?q?_Sie?=\r\n"
                    "Content-Type: text/html\r\n\r\n",
              mail, outgoing_number);
    assert_string_equal(run.plan.record.subject.p, "an offer that is f\xc3\xbcr Sie");
    outgoing_run_free(&run);
}

static void colleagues_get_neither_pixel_nor_links(void **state)
{
    const struct slice recipient[] = {slice_str("dan@example.com")};
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    mail.recipient = recipient;
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, outgoing_number);
    assert_string_equal(run.plan.reason, "local_recipients");
    assert_true(run.plan.tracked);
    assert_false(run.plan.rewrite.changed);
    outgoing_run_free(&run);
}

static void a_missing_body_still_gets_headers(void **state)
{
    struct outgoing_mail mail = ordinary();
    struct outgoing_run run;

    (void)state;
    mail.body = slice_str("");
    mail.body_missing = "body_limit";
    plan_with(&run, PLAIN_HEADERS "\r\n", mail, outgoing_number);
    assert_string_equal(run.plan.reason, "body_limit");
    assert_true(run.plan.tracked && run.plan.id_replaced);
    assert_false(run.plan.rewrite.changed);
    outgoing_run_free(&run);
}

static void no_number_leaves_the_mail_alone(void **state)
{
    struct outgoing_run run;

    (void)state;
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), no_number);
    assert_string_equal(run.plan.reason, "no_number");
    assert_false(run.plan.tracked);
    assert_int_equal(run.plan.edits, 0);
    outgoing_run_free(&run);
}

static void track_only_starts_with_a_few(void **state)
{
    struct outgoing_run run;

    (void)state;
    conf.track_only = (struct conf_list){.item = tracked, .count = 1};
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
    assert_string_equal(run.plan.reason, "track_only");
    outgoing_run_free(&run);
    tracked[0] = (char *)"ann@example.com";
    plan_with(&run, PLAIN_HEADERS "\r\n", ordinary(), outgoing_number);
    assert_null(run.plan.reason);
    outgoing_run_free(&run);
    conf.track_only.count = 0;
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
        cmocka_unit_test(reasons),
        cmocka_unit_test(the_owner_is_whose_login_it_is),
        cmocka_unit_test(nobody_is_tracked_while_policy_is_unknown),
        cmocka_unit_test(all_is_added_to_an_ordinary_mail),
        cmocka_unit_test(a_decoy_is_a_click_of_its_own),
        cmocka_unit_test(a_quoted_decoy_is_taken_out_by_its_token),
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
    };

    return cmocka_run_group_tests_name("outgoing", tests, prepare, clean_up);
}
