/* SPDX-License-Identifier: BSD-2-Clause */
/* verdicts: the whole corpus without a database, then what a database, a login and a broken mail change */

#include "common/organisation.h"
#include "mail/base64.h"
#include "mail/incoming.h"
#include "mail/quoted_url.h"
#include "mail/tracking.h"
#include "tests/unit/incoming_tokens.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FILE_MAX = 1024 * 1024 };

/* What the judge's questions are answered from. */
struct world {
    struct keys *keys;
    enum relation relation;
    const char *sender;    /* whose mail it was, or NULL */
    const char *recipient; /* the one address that is a recipient, whatever RELATION says; or NULL */
    const char *kept;      /* the one id that is known, or NULL */
    size_t asked;          /* kept ids looked up */
    size_t questions;      /* in so many questions */
    size_t relations;      /* addresses looked up */
};

static enum token_result verify(void *arg, struct slice id_left, struct token *token)
{
    return token_verify(((struct world *)arg)->keys, id_left, slice_str(""), token);
}

static enum token_result verify_url(void *arg, struct slice url, struct token *token)
{
    return tracking_verify_url(((struct world *)arg)->keys, INCOMING_TRACKING_URL, url, token, NULL);
}

static void kept_ids(void *arg, struct sent_id *ids, size_t count)
{
    struct world *world = arg;

    world->questions++;
    world->asked += count;
    for (size_t n = 0; n < count; n++)
        ids[n].message = world->kept && slice_is_i(ids[n].id, world->kept) ? 77 : 0;
}

static void original(void *arg, uint64_t message, struct slice address, struct original *original)
{
    struct world *world = arg;
    bool recipient = world->recipient && slice_is(address, world->recipient);

    (void)message;
    world->relations++;
    original->relation = recipient ? RELATION_RECIPIENT : world->relation;
    original->same_domain = slice_is(address_domain(address), "client.example");
    snprintf(original->sender, sizeof original->sender, "%s", world->sender ? world->sender : "");
    snprintf(original->own_id, sizeof original->own_id, "own.1@example.com");
}

static uint32_t recipient_key(void *arg, struct slice address)
{
    return keys_recipient(((struct world *)arg)->keys, address);
}

/* As tests/corpus/incoming/README.md says. */
static char *local_domain[] = {(char *)(uintptr_t)"example.com", (char *)(uintptr_t)"sister.example",
                               (char *)(uintptr_t)"tenant.example"};
static char *group[] = {(char *)(uintptr_t)"example.com sister.example"};
static const struct conf_list ours = {local_domain, 3}, groups = {group, 1};

static bool is_colleague(void *arg, struct slice domain, struct slice sender)
{
    (void)arg;
    return sender.len ? organisation_has_both(&groups, &ours, domain, sender) : conf_list_has_domain(&ours, domain);
}

static struct incoming_lookup without_database(struct world *world)
{
    return (struct incoming_lookup){
        .site = world,
        .arg = world,
        .token = verify,
        .url = verify_url,
        .tracking_url = INCOMING_TRACKING_URL,
        .recipient_key = recipient_key,
        .is_colleague = is_colleague,
    };
}

static struct incoming_lookup with_database(struct world *world)
{
    struct incoming_lookup lookup = without_database(world);

    lookup.kept_ids = kept_ids;
    lookup.original = original;
    return lookup;
}

/* Judges the mail in TEXT, which may hold placeholders; LOGIN: it was submitted. Free the verdict. */
static void judge(const struct incoming_lookup *lookup, struct slice text, bool login, struct incoming_verdict *verdict)
{
    struct world *world = lookup->arg;
    struct incoming_mail mail = {.authenticated = login};
    struct header_list headers;
    struct buf filled, sender, recipient;
    struct slice to;
    size_t at;

    buf_init(&filled, 4 * FILE_MAX);
    buf_init(&sender, 1000);
    buf_init(&recipient, 1000);
    header_list_init(&headers);
    incoming_fill(world->keys, text, &filled);
    at = header_parse(buf_slice(&filled), &headers);
    if (header_value(&headers, "Return-Path"))
        header_mailbox(slice_str(header_value(&headers, "Return-Path")), &sender);
    mail.recipients = header_value(&headers, "To") && header_mailbox(slice_str(header_value(&headers, "To")), &recipient);
    to = buf_slice(&recipient);
    mail.recipient = &to;
    mail.headers = &headers;
    mail.body = slice_from(buf_slice(&filled), at);
    mail.envelope_sender = buf_slice(&sender);
    assert_true(incoming_judge(&mail, lookup, verdict));
    header_list_free(&headers);
    buf_free(&recipient);
    buf_free(&sender);
    buf_free(&filled);
}

static void print_verdict(const struct incoming_lookup *lookup, struct slice text, bool login, struct buf *out)
{
    struct incoming_verdict verdict;

    judge(lookup, text, login, &verdict);
    buf_reset(out);
    assert_true(incoming_print(&verdict, out));
    incoming_verdict_free(&verdict);
}

static void read_whole(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    char chunk[4096];
    size_t got;

    if (!file)
        fail_msg("cannot read %s", path);
    buf_reset(out);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        assert_true(buf_add(out, chunk, got));
    fclose(file);
}

static void check_file(const struct incoming_lookup *lookup, const char *folder, const char *name, size_t *wrong)
{
    struct buf path, mail, expected, seen;

    buf_init(&path, 4096);
    buf_init(&mail, FILE_MAX);
    buf_init(&expected, FILE_MAX);
    buf_init(&seen, FILE_MAX);
    buf_add_f(&path, "%s/%s.eml", folder, name);
    read_whole(buf_text(&path), &mail);
    buf_reset(&path);
    buf_add_f(&path, "%s/%s.expect", folder, name);
    read_whole(buf_text(&path), &expected);
    print_verdict(lookup, buf_slice(&mail), false, &seen);
    if (!slice_eq(buf_slice(&expected), buf_slice(&seen))) {
        print_message("# %s: expected\n%s# but it is\n%s", name, buf_text(&expected), buf_text(&seen));
        ++*wrong;
    }
    buf_free(&path);
    buf_free(&mail);
    buf_free(&expected);
    buf_free(&seen);
}

static void every_mail_of_the_corpus_gets_its_verdict(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = without_database(world);
    const char *top = getenv("top_srcdir");
    char folder[4096];
    const struct dirent *entry;
    size_t mails = 0, wrong = 0;
    DIR *listing;

    snprintf(folder, sizeof folder, "%s/tests/corpus/incoming", top ? top : ".");
    listing = opendir(folder);
    if (!listing)
        fail_msg("no folder %s; top_srcdir must name the source tree", folder);
    while ((entry = readdir(listing))) {
        char name[256];
        size_t len = strlen(entry->d_name);
        if (len < 5 || len >= sizeof name || strcmp(entry->d_name + len - 4, ".eml") != 0)
            continue;
        memcpy(name, entry->d_name, len - 4);
        name[len - 4] = '\0';
        check_file(&lookup, folder, name, &wrong);
        mails++;
    }
    closedir(listing);
    assert_true(mails >= 120);
    assert_int_equal(wrong, 0);
}

#define REPLY "Return-Path: <zoe@else.example>\nFrom: zoe@else.example\nIn-Reply-To: "

static void the_database_tells_who_answered(void **state)
{
    static const struct {
        enum relation relation;
        const char *class_, *answerer;
    } cases[] = {
        {RELATION_RECIPIENT, "class: reply\n", "answerer: recipient\n"},
        {RELATION_NONE, "class: reply\n", "answerer: other\n"},
        {RELATION_OWNER, "class: own\n", "answerer: other\n"},
        {RELATION_UNKNOWN, "class: reply\n", "from: "},
    };
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf out;

    buf_init(&out, 4096);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        world->relation = cases[n].relation;
        print_verdict(&lookup, slice_str(REPLY "<@TOKEN:several@@example.com>\n\n"), false, &out);
        assert_true(slice_starts_i(buf_slice(&out), slice_str(cases[n].class_)));
        assert_true(slice_find_i(buf_slice(&out), cases[n].answerer) != (size_t)-1);
    }
    buf_free(&out);
}

static void a_kept_id_matches_and_is_worth_less(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf out;

    buf_init(&out, 4096);
    world->kept = "client.1@example.com";
    world->relation = RELATION_NONE;
    print_verdict(&lookup, slice_str(REPLY "<Client.1@example.com>\n\n"), false, &out);
    assert_string_equal(buf_text(&out), "class: reply\nrung: in_reply_to\nconfidence: low\nmessage: 77\n"
                                        "answerer: other\nfrom: zoe@else.example\n");
    world->relation = RELATION_RECIPIENT;
    print_verdict(&lookup, slice_str(REPLY "<Client.1@example.com>\n\n"), false, &out);
    assert_true(slice_find_i(buf_slice(&out), "confidence: high\n") != (size_t)-1);
    buf_free(&out);
}

static void a_signed_id_further_down_beats_a_kept_one(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf out;

    buf_init(&out, 4096);
    world->kept = "client.1@example.com";
    world->asked = 0;
    print_verdict(&lookup, slice_str(REPLY "<client.1@example.com>\nReferences: <@TOKEN:anchor@@x.example> <client.1@example.com>\n\n"), false,
                  &out);
    assert_true(slice_find_i(buf_slice(&out), "message: 1234567890123\n") != (size_t)-1);
    assert_int_equal(world->asked, 0);
    buf_free(&out);
}

static void only_a_few_ids_are_looked_up(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf mail, out;

    buf_init(&mail, FILE_MAX);
    buf_init(&out, 4096);
    world->asked = world->questions = 0;
    buf_add_str(&mail, REPLY "<@TOKEN:forged@@example.com>\nReferences:");
    for (int n = 0; n < 5000; n++)
        buf_add_f(&mail, "\n <%d@elsewhere.example>", n);
    buf_add_str(&mail, "\n\n");
    print_verdict(&lookup, buf_slice(&mail), false, &out);
    assert_string_equal(buf_text(&out), "class: none\nforged: yes\n");
    assert_int_equal(world->asked, INCOMING_KEPT_MAX);
    assert_int_equal(world->questions, 1);
    buf_free(&mail);
    buf_free(&out);
}

static void a_login_alone_makes_nobody_ours(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = without_database(world);
    struct buf out;

    buf_init(&out, 4096);
    print_verdict(&lookup, slice_str(REPLY "<@TOKEN:message_id@@example.com>\n\n"), true, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\n")));
    print_verdict(&lookup, slice_str("Return-Path: <bob@client.example>\nFrom: bob@client.example\n"
                                     "In-Reply-To: <@TOKEN:message_id@@example.com>\n\n"), true, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\n")));
    print_verdict(&lookup, slice_str("From: alice@example.com\n\n"), true, &out);
    assert_string_equal(buf_text(&out), "class: none\n");
    buf_free(&out);
}

static void the_record_tells_copies_of_one_answer_from_others(void **state)
{
#define OURS "In-Reply-To: <@TOKEN:message_id@@x>\n"
    static const char *const mails[] = {
        OURS "Message-ID: <1@x>\nFrom: a@b.example\n\n", "Received: again\n" OURS "Message-ID: <1@x>\n\n",
        OURS "From: a@b.example\nDate: now\n\n",         OURS "From: a@b.example\nDate: later\n\n",
        OURS "From: a@b.exampleDate: now\n\n",
    };
    struct world *world = *state;
    struct incoming_lookup lookup = without_database(world);
    uint8_t digest[5][32];

    for (size_t n = 0; n < 5; n++) {
        struct incoming_verdict verdict;
        struct record_answer answer;
        struct header_list headers;
        struct incoming_mail mail = {.headers = &headers};
        struct buf filled;

        buf_init(&filled, 4096);
        incoming_fill(world->keys, slice_str(mails[n]), &filled);
        header_list_init(&headers);
        header_parse(buf_slice(&filled), &headers);
        assert_true(incoming_judge(&mail, &lookup, &verdict));
        incoming_record(&verdict, &answer);
        memcpy(digest[n], answer.digest, 32);
        incoming_verdict_free(&verdict);
        header_list_free(&headers);
        buf_free(&filled);
    }
    assert_memory_equal(digest[0], digest[1], 32);
    for (size_t n = 2; n < 5; n++)
        for (size_t other = 0; other < n; other++)
            assert_memory_not_equal(digest[n], digest[other], 32);
}

static void a_recipient_beside_the_sender_is_no_colleague(void **state)
{
    static const char mail[] = "Return-Path: <carol@example.com>\nFrom: carol@example.com\n"
                               "In-Reply-To: <@TOKEN:several@@example.com>\n\n";
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf out;

    buf_init(&out, 4096);
    world->relation = RELATION_RECIPIENT;
    print_verdict(&lookup, slice_str(mail), false, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\nrung: in_reply_to\nconfidence: high\n")));
    print_verdict(&lookup, slice_str(mail), true, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\n")));
    world->relation = RELATION_NONE;
    print_verdict(&lookup, slice_str(mail), false, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: own\n")));
    buf_free(&out);
}

static void a_login_of_another_organisation_is_not_ours(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = without_database(world);
    struct buf out;

    buf_init(&out, 4096);
    print_verdict(&lookup, slice_str("Return-Path: <eve@tenant.example>\nFrom: eve@tenant.example\n"
                                     "In-Reply-To: <@TOKEN:message_id@@example.com>\n\n"), true, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\n")));
    print_verdict(&lookup, slice_str("Return-Path: <alice@example.com>\nFrom: alice@example.com\n"
                                     "In-Reply-To: <@TOKEN:message_id@@example.com>\n\n"), true, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: own\n")));
    buf_free(&out);
}

static void a_receipt_is_recorded_with_what_it_tells(void **state)
{
    struct incoming_verdict verdict = {.class_ = ANSWER_RECEIPT, .receipt = "deleted"};
    struct record_answer answer;

    (void)state;
    incoming_record(&verdict, &answer);
    assert_true(slice_is(answer.status, "deleted"));
    verdict.receipt = NULL;
    incoming_record(&verdict, &answer);
    assert_true(slice_empty(answer.status));
}

static void a_colleague_is_of_the_senders_organisation(void **state)
{
    static const struct {
        const char *from, *id, *sender, *class_;
    } cases[] = {
        {"anton@example.com", "<@TOKEN:several@@example.com>", NULL, "class: own\n"},
        {"anton@sister.example", "<@TOKEN:several@@example.com>", NULL, "class: own\n"},
        {"eve@tenant.example", "<@TOKEN:several@@example.com>", NULL, "class: reply\n"},
        {"eve@else.example", "<@TOKEN:several@@example.com>", NULL, "class: reply\n"},
        /* the sender's address counts for more than the domain of an id */
        {"eve@tenant.example", "<@TOKEN:several@@example.com>", "frank@tenant.example", "class: own\n"},
        {"anton@example.com", "<@TOKEN:several@@example.com>", "frank@tenant.example", "class: reply\n"},
        {"anton@sister.example", "<client.1@laptop.local>", "alice@example.com", "class: own\n"},
        {"eve@tenant.example", "<client.1@laptop.local>", "alice@example.com", "class: reply\n"},
        /* without an id only the database tells tenants apart */
        {"eve@tenant.example", "<nothing@of.ours>", NULL, "class: own\n"},
        {"eve@tenant.example", "<nothing@of.ours>", "alice@example.com", "class: reply\n"},
    };
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf mail, out;

    buf_init(&mail, 4096);
    buf_init(&out, 4096);
    world->relation = RELATION_NONE;
    world->kept = "client.1@laptop.local";
    world->recipient = NULL;
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        buf_reset(&mail);
        buf_add_f(&mail, "Return-Path: <%s>\nFrom: %s\nIn-Reply-To: %s\n\n"
                         "> https://t.example.com/o/@TOKEN:view@.gif\n", cases[n].from, cases[n].from, cases[n].id);
        world->sender = cases[n].sender;
        print_verdict(&lookup, buf_slice(&mail), false, &out);
        if (!slice_starts_i(buf_slice(&out), slice_str(cases[n].class_)))
            fail_msg("case %zu is %s", n, buf_text(&out));
    }
    world->sender = NULL;
    buf_free(&mail);
    buf_free(&out);
}

static void the_mail_itself_is_no_answer_to_itself(void **state)
{
    static const struct {
        const char *references;
        bool direct;
    } cases[] = {
        {"<a@b.example> <@TOKEN:anchor@@example.com>", false}, /* a follow-up of ours to somebody here */
        {"<@TOKEN:anchor@@example.com> <a@b.example>", true},
        {"<@TOKEN:anchor@@example.com> <a@b.example> <c@d.example>", false},
    };
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct buf mail;

    world->relation = RELATION_NONE;
    buf_init(&mail, 4096);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct incoming_verdict verdict;

        buf_reset(&mail);
        buf_add_f(&mail, "Return-Path: <zoe@else.example>\nFrom: zoe@else.example\nIn-Reply-To: <a@b.example>\nReferences: %s\n\n",
                  cases[n].references);
        judge(&lookup, buf_slice(&mail), false, &verdict);
        assert_int_equal(verdict.rung, RUNG_REFERENCES);
        assert_int_equal(verdict.direct, cases[n].direct);
        incoming_verdict_free(&verdict);
    }
    buf_free(&mail);
}

static void who_answered_may_share_a_domain_with_a_recipient(void **state)
{
    static const struct {
        const char *from, *id;
        enum relation relation;
        enum answer_answerer answerer;
        bool same_domain;
    } cases[] = {
        {"dave@client.example", "several", RELATION_RECIPIENT, ANSWERER_RECIPIENT, true},
        {"zoe@client.example", "several", RELATION_NONE, ANSWERER_OTHER, true},
        {"zoe@else.example", "several", RELATION_NONE, ANSWERER_OTHER, false},
        {INCOMING_RECIPIENT, "message_id", RELATION_UNKNOWN, ANSWERER_RECIPIENT, true},
    };
    struct world *world = *state;
    struct buf mail;

    buf_init(&mail, 4096);
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        bool asks = cases[n].relation != RELATION_UNKNOWN;
        struct incoming_lookup lookup = asks ? with_database(world) : without_database(world);
        struct incoming_verdict verdict;

        buf_reset(&mail);
        buf_add_f(&mail, "Return-Path: <%s>\nFrom: %s\nIn-Reply-To: <@TOKEN:%s@@example.com>\n\n", cases[n].from,
                  cases[n].from, cases[n].id);
        world->relation = cases[n].relation;
        world->recipient = NULL;
        judge(&lookup, buf_slice(&mail), false, &verdict);
        assert_int_equal(verdict.answerer, cases[n].answerer);
        assert_int_equal(verdict.same_domain, cases[n].same_domain);
        assert_string_equal(verdict.own_id, asks ? "own.1@example.com" : "");
        assert_true(verdict.direct);
        incoming_verdict_free(&verdict);
    }
    buf_free(&mail);
}

#define REPORT(type, fields, id) \
    "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nContent-Type: multipart/report; boundary=B\n" \
    "References: <@TOKEN:" id "@@example.com>\n\n--B\nContent-Type: message/" type "\n\n" fields "\n--B--\n"
#define FAILED(address) "Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; " address "\nAction: failed\nStatus: 5.1.1\n"
#define SOFT(address) "\nFinal-Recipient: rfc822; " address "\nAction: failed\nStatus: 4.2.1\n"

static void a_report_counts_for_recipients_only(void **state)
{
    static const struct {
        const char *mail, *about, *status;
        bool database, effect;
    } cases[] = {
        {REPORT("delivery-status", FAILED("<Bob@Client.example>"), "message_id"), "bob@client.example", "5.1.1", false, true},
        {REPORT("delivery-status", FAILED("victim@else.example"), "message_id"), "victim@else.example", "5.1.1", false, false},
        {REPORT("delivery-status", FAILED("bob@client.example"), "several"), "bob@client.example", "5.1.1", false, false},
        {REPORT("delivery-status", FAILED("dave@client.example"), "several"), "dave@client.example", "5.1.1", true, true},
        {REPORT("delivery-status", FAILED("victim@else.example") SOFT("dave@client.example"), "several"),
         "dave@client.example", "4.2.1", true, true},
        {REPORT("delivery-status", "Original-Recipient: rfc822;bob@client.example\n"
                                   "Final-Recipient: rfc822;other@isp.example\nAction: failed\nStatus: 5.1.1\n",
                "message_id"), "bob@client.example", "5.1.1", false, true},
        {REPORT("delivery-status", "Original-Recipient: rfc822;alias@isp.example\n"
                                   "Final-Recipient: rfc822;bob@client.example\nAction: failed\nStatus: 5.1.1\n",
                "message_id"), "bob@client.example", "5.1.1", false, true},
        {REPORT("feedback-report", "Feedback-Type: abuse\nOriginal-Rcpt-To: <bob@client.example>\n", "message_id"),
         "bob@client.example", "", false, true},
        {REPORT("feedback-report", "Feedback-Type: abuse\nOriginal-Rcpt-To: x@else.example\n"
                                   "Original-Rcpt-To: dave@client.example\n", "several"),
         "dave@client.example", "", true, true},
        {REPORT("feedback-report", "Feedback-Type: abuse\n", "message_id"), "", "", true, false},
        {REPORT("disposition-notification", "Final-Recipient: rfc822;bob@client.example\nDisposition: a/b; displayed\n",
                "message_id"), "", "", true, false},
        {"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nSubject: failure notice\n"
         "In-Reply-To: <@TOKEN:message_id@@x>\n\n<bob@client.example>:\nno (#5.1.1)\n", "bob@client.example", "5.1.1",
         false, true},
        {"Return-Path: <>\nFrom: bob@client.example\nSubject: Automatic reply\n"
         "In-Reply-To: <@TOKEN:message_id@@x>\n\n<bob@client.example>:\nno (#5.1.1)\n", "", "", false, false},
    };
    struct world *world = *state;

    world->relation = RELATION_NONE;
    world->recipient = "dave@client.example";
    for (size_t n = 0; n < sizeof cases / sizeof cases[0]; n++) {
        struct incoming_lookup lookup = cases[n].database ? with_database(world) : without_database(world);
        struct incoming_verdict verdict;

        judge(&lookup, slice_str(cases[n].mail), false, &verdict);
        if (strcmp(verdict.about, cases[n].about) != 0 || strcmp(verdict.status, cases[n].status) != 0 ||
            verdict.effect != cases[n].effect)
            fail_msg("%s is about <%s> %s, effect %d", cases[n].mail, verdict.about, verdict.status, verdict.effect);
        incoming_verdict_free(&verdict);
    }
    world->recipient = NULL;
}

static void a_long_report_asks_the_database_a_few_times(void **state)
{
    struct world *world = *state;
    struct incoming_lookup lookup = with_database(world);
    struct incoming_verdict verdict;
    struct buf mail;

    buf_init(&mail, FILE_MAX);
    buf_add_str(&mail, "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\n"
                       "Content-Type: multipart/report; boundary=B\nReferences: <@TOKEN:several@@example.com>\n\n"
                       "--B\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n");
    for (int n = 0; n < 2000; n++)
        buf_add_f(&mail, "\nFinal-Recipient: rfc822; r%d@client.example\nAction: failed\nStatus: 5.1.1\n", n);
    buf_add_str(&mail, "\n--B--\n");
    world->relation = RELATION_NONE;
    world->relations = 0;
    judge(&lookup, buf_slice(&mail), false, &verdict);
    assert_int_equal(verdict.class_, ANSWER_BOUNCE);
    assert_true(world->relations < 25);
    incoming_verdict_free(&verdict);
    buf_free(&mail);
}

/* The URL is hidden from a search of the raw bytes. */
static void a_url_in_base64_is_found(void **state)
{
    static const struct base64_shape shape = {.line = 76};
    struct world *world = *state;
    struct incoming_lookup lookup = without_database(world);
    struct buf mail, page, out;

    buf_init(&mail, FILE_MAX);
    buf_init(&page, FILE_MAX);
    buf_init(&out, 4096);
    incoming_fill(world->keys, slice_str("<p>Yes</p><img src=\"" INCOMING_TRACKING_URL "/o/@TOKEN:view@.gif\">"), &page);
    buf_add_str(&mail, "Return-Path: <bob@client.example>\nFrom: bob@client.example\n"
                       "Content-Type: text/html\nContent-Transfer-Encoding: Base64\n\n");
    assert_true(base64_encode(buf_slice(&page), shape, &mail));
    print_verdict(&lookup, buf_slice(&mail), false, &out);
    assert_true(slice_starts_i(buf_slice(&out), slice_str("class: reply\nrung: quoted_url\nconfidence: low\n")));
    buf_free(&mail);
    buf_free(&page);
    buf_free(&out);
}

static enum token_result count_url(void *arg, struct slice url, struct token *token)
{
    (void)url;
    *token = (struct token){.kind = TOKEN_CLICK};
    ++*(size_t *)arg;
    return TOKEN_FORGED;
}

static void only_so_many_urls_are_verified(void **state)
{
    struct world *world = *state;
    size_t verified = 0;
    struct incoming_lookup lookup = without_database(world);
    struct header_list headers;
    struct incoming_mail mail = {.headers = &headers};
    struct incoming_verdict verdict;
    struct buf body;

    buf_init(&body, FILE_MAX);
    header_list_init(&headers);
    for (int n = 0; n < 5000; n++)
        buf_add_f(&body, INCOMING_TRACKING_URL "/c/x%d/y\n", n);
    mail.body = buf_slice(&body);
    lookup.site = &verified;
    lookup.url = count_url;
    assert_true(incoming_judge(&mail, &lookup, &verdict));
    assert_int_equal(verdict.class_, ANSWER_NONE);
    assert_int_equal(verified, QUOTED_URLS_MAX);
    incoming_verdict_free(&verdict);
    header_list_free(&headers);
    buf_free(&body);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    if (!world)
        return -1;
    world->keys = incoming_keys(1);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    keys_free(world->keys);
    free(world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mail_of_the_corpus_gets_its_verdict),
        cmocka_unit_test(the_database_tells_who_answered),
        cmocka_unit_test(a_kept_id_matches_and_is_worth_less),
        cmocka_unit_test(a_signed_id_further_down_beats_a_kept_one),
        cmocka_unit_test(only_a_few_ids_are_looked_up),
        cmocka_unit_test(a_login_alone_makes_nobody_ours),
        cmocka_unit_test(the_record_tells_copies_of_one_answer_from_others),
        cmocka_unit_test(a_recipient_beside_the_sender_is_no_colleague),
        cmocka_unit_test(a_login_of_another_organisation_is_not_ours),
        cmocka_unit_test(a_receipt_is_recorded_with_what_it_tells),
        cmocka_unit_test(a_colleague_is_of_the_senders_organisation),
        cmocka_unit_test(the_mail_itself_is_no_answer_to_itself),
        cmocka_unit_test(who_answered_may_share_a_domain_with_a_recipient),
        cmocka_unit_test(a_report_counts_for_recipients_only),
        cmocka_unit_test(a_long_report_asks_the_database_a_few_times),
        cmocka_unit_test(a_url_in_base64_is_found),
        cmocka_unit_test(only_so_many_urls_are_verified),
    };

    return cmocka_run_group_tests_name("incoming", tests, setup, teardown);
}
