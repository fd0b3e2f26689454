/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files that leave a mail: which, under what name, and what the mail is afterwards
 *
 * tests/corpus/document has mails as several programs make them; NAME.expect names the files that leave and tells where the
 * links stand, NAME.ref is the mail as it goes out.
 */

#include "mail/document.h"
#include "mail/text_history.h"
#include "tests/support/corpus.h"
#include "tests/support/rewrite_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAILS_MIN = 18, TEXT_MAX = 1000 * 1000 };

static void expect_name(const char *given, const char *wanted)
{
    char name[DOCUMENT_NAME_MAX + 1];

    document_name(slice_str(given), name);
    assert_string_equal(name, wanted);
}

static void names_are_made_safe(void **state)
{
    char name[DOCUMENT_NAME_MAX + 1], given[1000], wanted[DOCUMENT_NAME_MAX + 1];

    (void)state;
    expect_name("a b.pdf", "a b.pdf");
    expect_name(" C:\\Users\\x\\plan.doc ", "plan.doc");
    expect_name("../../etc/passwd.pdf", "passwd.pdf");
    expect_name("folder/", "");
    expect_name("a\r\nb\x01\x7f.pdf", "ab.pdf");
    expect_name("f\xc3\xbcr \xe6\x8f\x90.pdf", "f\xc3\xbcr \xe6\x8f\x90.pdf");
    expect_name("latin f\xfcr.pdf", "latin f_r.pdf");
    expect_name("cod\xe2\x80\xae" "fdp.exe", "codfdp.exe");
    expect_name("\xe2\x81\xa6x\xe2\x80\x8f.pdf", "x.pdf");
    expect_name("one\xc2\x85line\xe2\x80\xa8or\xe2\x80\xa9two\xd8\x9c.pdf", "onelineortwo.pdf");
    memset(given, 'n', sizeof given);
    memcpy(given + 400, ".pptx", 6);
    memset(wanted, 'n', sizeof wanted);
    memcpy(wanted + DOCUMENT_NAME_MAX - 5, ".pptx", 6);
    expect_name(given, wanted);
    for (size_t at = 0; at < 300; at += 2)
        memcpy(given + at, "\xc3\xbc", 2);
    memcpy(given + 300, ".odt", 5);
    document_name(slice_str(given), name);
    assert_int_equal(strlen(name) % 2, 0); /* no half character before the ending */
    assert_string_equal(name + strlen(name) - 6, "\xc3\xbc.odt");
}

static void patterns_fit_whole_names(void **state)
{
    static const struct {
        const char *name, *pattern;
        bool fits;
    } cases[] = {
        {"a.pdf", "*", true},           {"a.pdf", "*.pdf", true},        {"a.PDF", "*.pdf", true},
        {"a.pdf", "a?pdf", true},       {"a.pdf", "a", false},           {"a.pdf", "*.doc", false},
        {"", "*", true},                {"a", "", false},                {"proposal-2.pdf", "pro*al*.p?f", true},
        {"aaaaab", "*a*a*a*c", false},  {"a.pdf", "a.pdf?", false},      {"a.pdf", "a.pdf**", true},
    };

    (void)state;
    for (size_t n = 0; n < sizeof cases / sizeof *cases; n++)
        if (document_name_fits(slice_str(cases[n].name), slice_str(cases[n].pattern)) != cases[n].fits)
            fail_msg("%s and %s", cases[n].name, cases[n].pattern);
}

/* A "|" stands where something may be added; none: behind all. */
static void expect_place(const char *marked)
{
    char text[500];
    const char *bar = strchr(marked, '|');
    size_t wanted = bar ? (size_t)(bar - marked) : strlen(marked);

    snprintf(text, sizeof text, "%.*s%s", (int)wanted, marked, bar ? bar + 1 : "");
    assert_int_equal(text_history_place(slice_str(text)), wanted);
}

static void links_stand_before_the_history(void **state)
{
    (void)state;
    expect_place("");
    expect_place("Hi\r\n");
    expect_place("Hi\r\n\r\n|> old\r\n");
    expect_place("Hi\r\n\r\n|On Monday Bob wrote:\r\n> old\r\n");
    expect_place("Hi\r\n\r\n|On Monday, at ten,\r\nBob <bob@x.example> wrote:\r\n\r\n> old\r\n");
    expect_place("Hi\r\n\r\nWhat you asked:\r\n\r\n\r\n|> old\r\n");
    expect_place("On Monday Bob wrote:\r\n> old\r\n\r\nMy answer\r\n");
    expect_place("> old\r\nMy answer\r\n> older\r\n");
    expect_place("Hi\n\n|-- \nAlice\n");
    expect_place("Hi\r\n--\r\nno signature\r\n");
    expect_place("Hi\r\n|-----Original Message-----\r\nFrom: x\r\n");
    expect_place("Hi\r\n\r\n|________________________________\r\nFrom: x\r\n");
}

static void a_file_is_read_as_its_mail_says(void **state)
{
    static const char *const bodies[] = {"AAEC/w==", "=00=01=02=FF", "plain\r\ntext"};
    static const enum mime_encoding encodings[] = {MIME_BASE64, MIME_QUOTED_PRINTABLE, MIME_IDENTITY};
    static const struct slice wanted[] = {{"\0\1\2\xff", 4}, {"\0\1\2\xff", 4}, {"plain\r\ntext", 11}};
    struct buf out;

    (void)state;
    buf_init(&out, 1000);
    for (size_t n = 0; n < 3; n++) {
        struct document document = {.len = strlen(bodies[n]), .encoding = encodings[n]};

        buf_reset(&out);
        assert_true(document_decode(slice_str(bodies[n]), &document, &out));
        assert_true(slice_eq(buf_slice(&out), wanted[n]));
    }
    buf_reset(&out);
    assert_false(document_decode(slice_str("AAEC/w==-- a footer"), &(struct document){.len = 19, .encoding = MIME_BASE64}, &out));
    assert_false(out.failed);
    buf_free(&out);
}

static bool is_one_name(void *arg, struct slice name, uint64_t bytes)
{
    assert_int_equal(bytes, 10);
    return slice_is(name, arg);
}

static void sizes_and_types_decide(void **state)
{
    static char *const types[] = {(char *)"pdf"};
    struct slice mail = slice_str("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\n"
                                  "0123456789\r\n--b\r\nContent-Type: application/x; name=a.pdf.doc\r\n\r\n0123456789\r\n--b--\r\n");
    struct document_choice choice = {.type = types, .types = 1, .wanted = is_one_name, .arg = (char *)"a.pdf", .smallest = 10, .largest = 10};
    struct header_list headers;
    struct document_list list;
    struct slice body;

    (void)state;
    header_list_init(&headers);
    body = slice_from(mail, header_parse(mail, &headers));
    assert_true(document_find(&headers, body, &choice, &list));
    assert_int_equal(list.count, 1);
    assert_string_equal(list.item[0].content_type, "application/pdf");
    document_list_free(&list);
    choice.smallest = choice.largest = 11;
    assert_true(document_find(&headers, body, &choice, &list));
    assert_int_equal(list.count, 0);
    choice.smallest = 0;
    choice.largest = 9;
    assert_true(document_find(&headers, body, &choice, &list));
    assert_int_equal(list.count, 0);
    choice.largest = 10;
    choice.arg = (char *)"b.pdf";
    assert_true(document_find(&headers, body, &choice, &list));
    assert_int_equal(list.count, 0);
    header_list_free(&headers);
}

/* --- the corpus --------------------------------------------------------------------------------------------- */

/* As outgoing_body.c does it: once more with a page where the links found no place. */
static void detach(const struct corpus_mail *mail, struct document_list *list, struct rewrite_result *result)
{
    struct rewrite_settings settings = check_settings("one");

    check_documents(&mail->headers, mail->body, list, &settings);
    check_rewrite(&mail->headers, mail->body, &settings, result);
    if (!result->documents_hidden)
        return;
    rewrite_result_free(result);
    settings.documents_page = true;
    check_rewrite(&mail->headers, mail->body, &settings, result);
    assert_false(result->documents_hidden);
}

static unsigned count(struct slice text, const char *what)
{
    unsigned found = 0;
    const char *at = text.p;

    while (text.len && (at = memmem(at, (size_t)(text.p + text.len - at), what, strlen(what)))) {
        found++;
        at++;
    }
    return found;
}

static void add_outcome(const struct corpus_mail *mail, const struct document_list *list, const struct rewrite_result *result,
                        struct buf *out)
{
    struct mime_tree tree;
    struct buf text;

    buf_add_f(out, "detached=%u", result->detached);
    for (size_t at = 0; at < list->count; at++)
        buf_add_f(out, " %s:%s", list->item[at].type, list->item[at].name);
    buf_add_str(out, " links:");
    if (result->changed) {
        assert_true(mime_scan(&mail->headers, buf_slice(&result->body), &tree));
        for (size_t at = 0; at < tree.count; at++) {
            buf_init(&text, 0);
            if (!tree.part[at].multipart && corpus_decode(&tree.part[at], buf_slice(&result->body), &text) &&
                count(buf_slice(&text), CHECK_TRACKING_URL "/d/one-"))
                buf_add_f(out, " %s=%u", tree.part[at].type, count(buf_slice(&text), CHECK_TRACKING_URL "/d/one-"));
            buf_free(&text);
        }
        mime_tree_free(&tree);
    }
    buf_add_char(out, '\n');
}

static void write_file(const char *path, struct slice text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.len, file), text.len);
    fclose(file);
}

static unsigned disappointed;

static void compare(const struct corpus_mail *mail, const char *ending, struct slice got)
{
    struct buf wanted;
    char path[4096];

    snprintf(path, sizeof path, "%s.%s", mail->path, ending);
    if (getenv("UPDATE_REFERENCES"))
        write_file(path, got);
    if (!corpus_read(path, &wanted) || !slice_eq(buf_slice(&wanted), got)) {
        print_message("%s\n  expected %s\n  got      %.*s\n", path, buf_text(&wanted), SLICE_ARG(got));
        disappointed++;
    }
    buf_free(&wanted);
}

static void compare_mail(const struct corpus_mail *mail, void *arg)
{
    struct rewrite_result result;
    struct document_list list;
    struct buf outcome, sent;

    (void)arg;
    buf_init(&outcome, TEXT_MAX);
    buf_init(&sent, TEXT_MAX);
    detach(mail, &list, &result);
    add_outcome(mail, &list, &result, &outcome);
    buf_add(&sent, mail->raw.p, mail->raw.len - mail->body.len);
    buf_add_slice(&sent, result.changed ? buf_slice(&result.body) : mail->body);
    compare(mail, "expect", buf_slice(&outcome));
    compare(mail, "ref", buf_slice(&sent));
    rewrite_result_free(&result);
    document_list_free(&list);
    buf_free(&outcome);
    buf_free(&sent);
}

static void each_mail_becomes_what_was_expected(void **state)
{
    (void)state;
    disappointed = 0;
    assert_true(corpus_each_of("document", compare_mail, NULL) >= MAILS_MIN);
    assert_int_equal(disappointed, 0);
}

/* Several files, one of which could not be stored: that one stays, byte for byte. */
static void keep_the_first(const struct corpus_mail *mail, void *arg)
{
    struct rewrite_settings settings = check_settings("one");
    struct rewrite_result result;
    struct document_list list;

    (void)arg;
    check_documents(&mail->headers, mail->body, &list, &settings);
    if (list.count) {
        const struct document *kept = &list.item[0];

        list.item[0].number = 0;
        check_rewrite(&mail->headers, mail->body, &settings, &result);
        assert_int_equal(result.detached, list.count - 1);
        if (result.changed)
            assert_non_null(memmem(result.body.data, result.body.len, mail->body.p + kept->at, kept->len));
        rewrite_result_free(&result);
    }
    document_list_free(&list);
}

static void what_is_not_stored_stays(void **state)
{
    (void)state;
    corpus_each_of("document", keep_the_first, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_made_safe),
        cmocka_unit_test(patterns_fit_whole_names),
        cmocka_unit_test(links_stand_before_the_history),
        cmocka_unit_test(a_file_is_read_as_its_mail_says),
        cmocka_unit_test(sizes_and_types_decide),
        cmocka_unit_test(each_mail_becomes_what_was_expected),
        cmocka_unit_test(what_is_not_stored_stays),
    };

    return cmocka_run_group_tests_name("document", tests, NULL, NULL);
}
