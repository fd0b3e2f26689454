/* SPDX-License-Identifier: BSD-2-Clause */
/* documents of an outgoing mail: which files are asked to leave, what becomes of the mail, and whose the links are */

#include "common/token.h"
#include "common/url.h"
#include "mail/msgid.h"
#include "mail/pass.h"
#include "tests/unit/outgoing_run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <cmocka.h>

#define URL "https://t.example.com/d/"
#define HEADERS "From: Ann <ann@example.com>\r\nTo: bob@example.net\r\nMessage-ID: <a@example.com>\r\nMIME-Version: 1.0\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n"
#define WORDS "--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n"
#define FILE_OF(name, bytes) "--b\r\nContent-Type: application/pdf; name=" name "\r\n\r\n" bytes "\r\n"
#define TWO_FILES WORDS FILE_OF("one.pdf", "first") FILE_OF("two.pdf", "the second") "--b--\r\n"
enum { NOW = 1790000000, LINKS_MOST = 10, CONTENT = 7 };

static struct keys *keys;
static char *types[] = {(char *)"pdf", (char *)"docx"};
static char *patterns[] = {(char *)"one*"};
static struct conf conf;
static const struct slice people[] = {SLICE_TEXT("bob@example.net"), SLICE_TEXT("cy@example.org")};

/* What spoor-stamp's database would be asked. */
static struct {
    char names[200];
    const char *refused; /* the name of a file that cannot be stored */
    unsigned carried;
} database;

static bool store(void *arg, const struct outgoing_file *file)
{
    size_t len = strlen(database.names);

    (void)arg;
    assert_int_equal(file->bytes.len, file->document->bytes);
    if (database.refused && strcmp(file->document->name, database.refused) == 0)
        return false;
    snprintf(database.names + len, sizeof database.names - len, "%u:%s=%.*s ", file->number, file->document->name,
             SLICE_ARG(file->bytes));
    return true;
}

/* Knows the library and the file of mail 99999999, but no other. */
static void carry(void *arg, const struct record_message *mail, unsigned first, struct tracking_document *document, size_t count)
{
    (void)arg;
    assert_true(mail->id > TOKEN_CONTENT_MAX);
    assert_true(slice_is(mail->owner, "ann@example.com"));
    for (size_t at = 0; at < count; at++) {
        database.carried++;
        if (document[at].message == CONTENT || document[at].message == 99999999)
            document[at].number = (uint16_t)(first + at);
    }
}

static void parse(struct outgoing_run *run, const char *header, const char *body, size_t recipients, struct outgoing_mail *mail)
{
    *mail = (struct outgoing_mail){
        .headers = &run->headers,
        .body = slice_str(body),
        .envelope_sender = slice_str("ann@example.com"),
        .recipient = people,
        .recipients = recipients,
        .from_submit_network = true,
    };
    header_list_init(&run->headers);
    header_parse(slice_str(header), &run->headers);
}

static struct outgoing_settings settings(bool second_pass)
{
    return (struct outgoing_settings){.conf = &conf, .keys = keys, .number = outgoing_number, .store = store, .carry = carry,
                                      .has_second_pass = second_pass, .now_s = NOW};
}

static void plan(struct outgoing_run *run, const char *header, const char *body)
{
    struct outgoing_settings the_settings = settings(false);
    struct outgoing_mail mail;

    memset(&database.names, 0, sizeof database.names);
    parse(run, header, body, 1, &mail);
    outgoing_plan_make(&mail, &the_settings, &run->plan);
    assert_false(run->plan.failed);
}

static const char *set_to(const struct outgoing_plan *made, const char *name)
{
    for (size_t at = 0; at < made->edits; at++)
        if (strcasecmp(made->edit[at].name, name) == 0)
            return made->edit[at].value ? made->edit[at].value : "(removed)";
    return NULL;
}

static size_t tokens_in(struct slice text, struct token token[LINKS_MOST])
{
    size_t found = 0, at;
    struct slice one;

    while (found < LINKS_MOST && (at = slice_find_i(text, URL)) != (size_t)-1) {
        text = slice_from(text, at);
        assert_true(url_document_token(text, "https://t.example.com", &one));
        assert_int_equal(token_verify(keys, one, slice_str(""), &token[found]), TOKEN_GOOD);
        assert_int_equal(token[found++].kind, TOKEN_DOCUMENT);
        text = slice_from(text, strlen(URL));
    }
    return found;
}

static const char *link_to(uint64_t message, uint32_t recipient, uint16_t index)
{
    static char url[4][200];
    static unsigned last;
    struct token token = {.kind = TOKEN_DOCUMENT, .message = message, .recipient = recipient, .index = index};
    char text[TOKEN_TEXT + 1];

    assert_true(token_sign(keys, &token, slice_str(""), text));
    last = (last + 1) % 4;
    snprintf(url[last], sizeof url[last], URL "%s", text);
    return url[last];
}

static uint32_t key_of(size_t person)
{
    return keys_recipient(keys, people[person]);
}

/* --- which -------------------------------------------------------------------------------------------------- */

static void headers_and_configuration_choose(void **state)
{
    static const struct {
        const char *field, *stored;
        bool configured;
    } cases[] = {
        {"", "", false},
        {"", "1:one.pdf=first ", true},
        {"X-Spoor-Attachments: track\r\n", "1:one.pdf=first 2:two.pdf=the second ", false},
        {"X-Spoor-Attachments: Track\r\n", "1:one.pdf=first 2:two.pdf=the second ", true},
        {"X-Spoor-Attachments: none\r\n", "", true},
        {"X-Spoor-Attachments: track\r\nX-Spoor-Attachments: none\r\n", "", true},
        {"X-Spoor-Attachments: t*.pdf\r\n", "1:two.pdf=the second ", true},
        {"X-Spoor-Attachments: *.doc, ONE.pdf\r\n", "1:one.pdf=first ", false},
        {"X-Spoor-Attachments:\r\n", "", true},
        {"X-Spoor-Track: off\r\nX-Spoor-Attachments: track\r\n", "", true},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        char header[1000];
        struct outgoing_run run;

        conf.stamp.attachments.count = cases[n].configured;
        snprintf(header, sizeof header, HEADERS MIXED "%s\r\n", cases[n].field);
        plan(&run, header, TWO_FILES);
        if (strcmp(database.names, cases[n].stored) != 0)
            fail_msg("%s stores %s", cases[n].field, database.names);
        if (*cases[n].field && run.plan.tracked)
            assert_string_equal(set_to(&run.plan, "X-Spoor-Attachments"), "(removed)");
        outgoing_run_free(&run);
    }
    conf.stamp.attachments.count = 0;
}

static void sizes_are_those_of_the_file(void **state)
{
    struct outgoing_run run;

    (void)state;
    conf.stamp.attachment_smallest = 6;
    plan(&run, HEADERS MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES);
    assert_string_equal(database.names, "1:two.pdf=the second ");
    outgoing_run_free(&run);
    conf.stamp.attachment_smallest = 0;
    conf.stamp.attachment_largest = 9;
    plan(&run, HEADERS MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES);
    assert_string_equal(database.names, "1:one.pdf=first ");
    outgoing_run_free(&run);
    conf.stamp.attachment_largest = 1000000;
}

/* --- what the mail becomes ---------------------------------------------------------------------------------- */

static void a_file_that_is_not_stored_stays(void **state)
{
    struct token token[LINKS_MOST];
    struct outgoing_run run;

    (void)state;
    database.refused = "one.pdf";
    plan(&run, HEADERS MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES);
    database.refused = NULL;
    assert_string_equal(database.names, "1:two.pdf=the second ");
    assert_non_null(strstr(run.plan.rewrite.body.data, "name=one.pdf\r\n\r\nfirst\r\n--b--\r\n"));
    assert_null(strstr(run.plan.rewrite.body.data, "the second"));
    assert_int_equal(tokens_in(buf_slice(&run.plan.rewrite.body), token), 1);
    assert_int_equal(token[0].index, 1);
    assert_int_equal(token[0].recipient, key_of(0));
    assert_true(token[0].message == run.plan.record.id);
    outgoing_run_free(&run);
}

static void a_damaged_file_stays(void **state)
{
    struct outgoing_run run;

    (void)state;
    plan(&run, HEADERS MIXED "X-Spoor-Attachments: track\r\n\r\n",
         WORDS "--b\r\nContent-Type: application/pdf; name=one.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nAAA=A\r\n--b--\r\n");
    assert_string_equal(database.names, "");
    assert_false(run.plan.rewrite.changed);
    outgoing_run_free(&run);
}

static void a_mail_that_is_the_file_becomes_a_page(void **state)
{
    struct token token[LINKS_MOST];
    struct outgoing_run run;

    (void)state;
    plan(&run, HEADERS "Content-Type: application/pdf; name=one.pdf\r\nContent-Disposition: attachment\r\n"
                       "X-Spoor-Attachments: track\r\n\r\n", "the file");
    assert_string_equal(database.names, "1:one.pdf=the file ");
    assert_string_equal(set_to(&run.plan, "Content-Type"), "text/html; charset=us-ascii");
    assert_string_equal(set_to(&run.plan, "Content-Transfer-Encoding"), "7bit");
    assert_string_equal(set_to(&run.plan, "Content-Disposition"), "(removed)");
    assert_null(set_to(&run.plan, "Content-ID"));
    assert_null(strstr(run.plan.rewrite.body.data, "the file"));
    assert_int_equal(tokens_in(buf_slice(&run.plan.rewrite.body), token), 1);
    assert_int_equal(run.plan.rewrite.pixels, 1);
    outgoing_run_free(&run);
}

static void the_summary_counts(void **state)
{
    struct buf summary;
    struct outgoing_run run;

    (void)state;
    buf_init(&summary, 1000);
    plan(&run, HEADERS MIXED "User-Agent: x\r\nX-Spoor-Attachments: track\r\n\r\n", TWO_FILES);
    outgoing_plan_summary(&run.plan, &summary);
    assert_string_equal(buf_text(&summary), "anchor,documents:2");
    outgoing_run_free(&run);
    buf_free(&summary);
}

/* --- whose the links are ------------------------------------------------------------------------------------ */

/* The links of a mail to bob that came with this body. */
static size_t links_of(const char *field, const char *body, struct token token[LINKS_MOST])
{
    char header[1000];
    struct outgoing_run run;
    size_t found;

    snprintf(header, sizeof header, HEADERS "Content-Type: text/html\r\n%s\r\n", field);
    database.carried = 0;
    plan(&run, header, body);
    found = tokens_in(run.plan.rewrite.changed ? buf_slice(&run.plan.rewrite.body) : slice_str(body), token);
    outgoing_run_free(&run);
    return found;
}

static void a_link_of_the_library_becomes_personal(void **state)
{
    struct token token[LINKS_MOST];
    const char *link = link_to(CONTENT, 0, 1);
    char body[1000];

    (void)state;
    snprintf(body, sizeof body, "<p><a href=\"%s\">%s</a></p>", link, link);
    assert_int_equal(links_of("", body, token), 2);
    for (size_t at = 0; at < 2; at++) {
        assert_true(token[at].message > TOKEN_CONTENT_MAX);
        assert_int_equal(token[at].recipient, key_of(0));
        assert_int_equal(token[at].index, 1);
    }
    assert_int_equal(database.carried, 1);
    assert_int_equal(links_of("X-Spoor-Attachments: none\r\n", body, token), 2);
    assert_true(token[0].message == CONTENT);
    assert_int_equal(token[0].recipient, 0);
}

static void an_earlier_recipients_link_does_not_travel_on(void **state)
{
    struct token token[LINKS_MOST];
    char body[1000];

    (void)state;
    /* one that the database knows becomes this mail's, one that it does not know is nobody's */
    snprintf(body, sizeof body, "<p>x</p><blockquote type=cite><a href='%s'>a.pdf</a> see %s.</blockquote>",
             link_to(99999999, 4711, 2), link_to(88888888, 4712, 3));
    assert_int_equal(links_of("", body, token), 2);
    assert_true(token[0].message != 99999999 && token[0].recipient == key_of(0));
    assert_true(token[1].message == 88888888);
    assert_int_equal(token[1].recipient, 0);
    assert_int_equal(token[1].index, 3);
}

static void what_is_not_signed_by_us_is_left(void **state)
{
    char body[1000], forged[200];
    struct outgoing_run run;

    (void)state;
    snprintf(forged, sizeof forged, "%s", link_to(99999999, 4711, 2));
    forged[strlen(forged) - 3] = forged[strlen(forged) - 3] == 'a' ? 'b' : 'a';
    snprintf(body, sizeof body, "<p><a href=\"%s\">x</a> <a href=\"%s/../x\">y</a></p>", forged, URL "short");
    plan(&run, HEADERS "Content-Type: text/html\r\n\r\n", body);
    assert_non_null(strstr(run.plan.rewrite.body.data, forged));
    assert_non_null(strstr(run.plan.rewrite.body.data, URL "short/../x"));
    outgoing_run_free(&run);
}

static void a_page_of_the_viewer_keeps_its_number(void **state)
{
    char body[1000];
    struct outgoing_run run;

    (void)state;
    snprintf(body, sizeof body, "see %s/3", link_to(CONTENT, 0, 1));
    plan(&run, HEADERS "Content-Type: text/plain\r\n\r\n", body);
    assert_true(run.plan.rewrite.changed);
    assert_int_equal(run.plan.rewrite.body.len, strlen(body));
    assert_string_equal(run.plan.rewrite.body.data + strlen(body) - 2, "/3");
    outgoing_run_free(&run);
}

/* --- two passes --------------------------------------------------------------------------------------------- */

static void each_copy_has_links_of_its_own(void **state)
{
    struct outgoing_settings the_settings = settings(true);
    struct token token[LINKS_MOST];
    struct outgoing_run first, second;
    struct outgoing_mail mail;
    char header[4000];

    (void)state;
    conf.stamp.copies = true;
    memset(&database.names, 0, sizeof database.names);
    parse(&first, HEADERS MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES, 2, &mail);
    outgoing_plan_make(&mail, &the_settings, &first.plan);
    assert_string_equal(database.names, "1:one.pdf=first 2:two.pdf=the second ");
    assert_true(first.plan.passed_on && first.plan.rewrite.changed);
    assert_int_equal(tokens_in(buf_slice(&first.plan.rewrite.body), token), 2);
    assert_int_equal(token[0].recipient, 0);
    snprintf(header, sizeof header, HEADERS MIXED PASS_HEADER ": %s\r\n\r\n", set_to(&first.plan, PASS_HEADER));
    if (first.plan.id_replaced)
        snprintf(header, sizeof header, "From: Ann <ann@example.com>\r\nMIME-Version: 1.0\r\nMessage-ID: %s\r\n" MIXED PASS_HEADER ": %s\r\n\r\n",
                 set_to(&first.plan, "Message-ID"), set_to(&first.plan, PASS_HEADER));

    for (size_t person = 0; person < 2; person++) {
        parse(&second, header, first.plan.rewrite.body.data, 1, &mail);
        mail.recipient = &people[person];
        outgoing_copy_plan(&mail, &the_settings, &second.plan);
        assert_true(second.plan.tracked);
        assert_true(second.plan.rewrite.changed);
        assert_int_equal(tokens_in(buf_slice(&second.plan.rewrite.body), token), 2);
        for (unsigned at = 0; at < 2; at++) {
            assert_int_equal(token[at].index, at + 1);
            assert_int_equal(token[at].recipient, key_of(person));
            assert_true(token[at].message == first.plan.record.id);
        }
        assert_int_equal(second.plan.rewrite.body.len, first.plan.rewrite.body.len);
        outgoing_run_free(&second);
    }
    outgoing_run_free(&first);
    conf.stamp.copies = false;
}

static int prepare(void **state)
{
    (void)state;
    keys = outgoing_prepare(&conf);
    conf.stamp.attachments = (struct conf_list){patterns, 0};
    conf.stamp.attachment_types = (struct conf_list){types, 2};
    conf.stamp.attachment_largest = 1000000;
    return keys ? 0 : -1;
}

/* --- who can stop it ---------------------------------------------------------------------------------------- */

static unsigned footers_in(struct slice text)
{
    static const char url[] = "https://t.example.com/s/";
    unsigned found = 0;
    size_t at;

    for (; (at = slice_find_i(text, url)) != (size_t)-1; found++)
        text = slice_from(text, at + strlen(url));
    return found;
}

/* Page and text say so where something tells the sender; with nothing but a signed Message-ID they do not. */
static void who_is_told_on_can_stop_it(void **state)
{
    static const char alternative[] =
        "--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>Hi</p>\r\n--b--\r\n";
    static const char links[] = "See https://shop.example.org/a\r\n";
    static const struct {
        const char *field, *body;
        bool views, links, text_links;
        unsigned footers;
    } cases[] = {
        {"\r\n", "Hi\r\n", true, true, false, 0},
        {"\r\n", links, true, true, false, 0},
        {"\r\n", links, true, true, true, 1},
        {"\r\n", links, true, false, true, 0},
        {MIXED "X-Spoor-Attachments: none\r\n\r\n", TWO_FILES, true, true, false, 0},
        {MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES, true, true, false, 1},
        {MIXED "X-Spoor-Attachments: track\r\n\r\n", TWO_FILES, false, false, false, 1},
        {"Content-Type: multipart/alternative; boundary=b\r\n\r\n", alternative, true, true, false, 2},
        {"Content-Type: multipart/alternative; boundary=b\r\n\r\n", alternative, true, false, false, 2},
        {"Content-Type: multipart/alternative; boundary=b\r\n\r\n", alternative, false, false, false, 0},
        {MIXED "X-Spoor-Track: aggregate\r\nX-Spoor-Attachments: track\r\n\r\n", TWO_FILES, true, true, false, 0},
    };
    char library[300];
    struct outgoing_run run;

    (void)state;
    conf.stamp.consent_footer = true;
    conf.stamp.consent_text = (char *)"Stop that.";
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++) {
        char header[1000];

        snprintf(header, sizeof header, HEADERS "%s", cases[n].field);
        conf.stamp.views = cases[n].views;
        conf.stamp.links = cases[n].links;
        conf.stamp.text_links = cases[n].text_links;
        plan(&run, header, cases[n].body);
        print_message("row %zu\n", n);
        assert_int_equal(footers_in(buf_slice(&run.plan.rewrite.body)), cases[n].footers);
        outgoing_run_free(&run);
    }
    conf.stamp.text_links = false;
    conf.stamp.views = conf.stamp.links = false;
    snprintf(library, sizeof library, "Prices: %s\r\n", link_to(CONTENT, 0, 1));
    plan(&run, HEADERS "\r\n", library);
    assert_int_equal(footers_in(buf_slice(&run.plan.rewrite.body)), 1);
    outgoing_run_free(&run);
    conf.stamp.views = conf.stamp.links = true;
    conf.stamp.consent_footer = false;
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
        cmocka_unit_test(headers_and_configuration_choose),
        cmocka_unit_test(sizes_are_those_of_the_file),
        cmocka_unit_test(a_file_that_is_not_stored_stays),
        cmocka_unit_test(a_damaged_file_stays),
        cmocka_unit_test(a_mail_that_is_the_file_becomes_a_page),
        cmocka_unit_test(the_summary_counts),
        cmocka_unit_test(a_link_of_the_library_becomes_personal),
        cmocka_unit_test(an_earlier_recipients_link_does_not_travel_on),
        cmocka_unit_test(what_is_not_signed_by_us_is_left),
        cmocka_unit_test(a_page_of_the_viewer_keeps_its_number),
        cmocka_unit_test(each_copy_has_links_of_its_own),
        cmocka_unit_test(who_is_told_on_can_stop_it),
    };

    return cmocka_run_group_tests_name("outgoing_documents", tests, prepare, clean_up);
}
