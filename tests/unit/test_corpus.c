/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * the corpus of outgoing mails: each against its result, against what was expected of it beforehand, and
 * against the promises that hold for every mail
 *
 * NAME.expect says in one line how many pixels, wrapped links and cleaned traces, the reason why a body
 * stays, and the fate of each link in order. NAME.ref is the whole mail as it goes out. The mails of
 * tests/corpus/decoy go out with decoys, and the promises are kept with and without; those of tests/corpus/footer with a link by which
 * the recipient stops tracking, in page and text.
 */

#include "mail/html.h"
#include "mail/link.h"
#include "tests/support/corpus.h"
#include "tests/support/rewrite_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MAILS_MIN = 150, DECOYS_MIN = 5, FOOTERS_MIN = 20, TEXT_MAX = 1000 * 1000 };

static struct rewrite_settings plain_settings, decoy_settings, footer_settings;

static int set_up(void **state)
{
    (void)state;
    plain_settings = decoy_settings = footer_settings = check_settings("one");
    decoy_settings.add_decoy = true;
    footer_settings.consent_text = "Der Absender erf&#228;hrt, ob diese Mail gelesen wird, auf welche Links &amp; Seiten geklickt wird. Beenden.";
    footer_settings.consent_in_text = true;
    return 0;
}

/* The mail as it goes out: the old header and the new body. */
static void join(const struct corpus_mail *mail, const struct rewrite_result *result, struct buf *out)
{
    buf_init(out, 10 * TEXT_MAX);
    buf_add(out, mail->raw.p, mail->raw.len - mail->body.len);
    buf_add_slice(out, result->changed ? buf_slice(&result->body) : mail->body);
}

static void add_outcome(const struct rewrite_result *result, struct buf *out)
{
    buf_add_f(out, "pixels=%u wrapped=%u cleaned=%u reason=%s links=", result->pixels, result->wrapped,
              result->cleaned, result->reason ? result->reason : "-");
    for (size_t at = 0; at < result->links; at++)
        buf_add_f(out, "%s%s", at ? "," : "", rewrite_fate_name(result->link[at].fate));
    buf_add_char(out, '\n');
}

static unsigned disappointed;

static void compare_with_expectation(const struct corpus_mail *mail, void *arg)
{
    const struct rewrite_settings *settings = arg;
    struct rewrite_result result;
    struct buf expected, outcome;
    char path[4096];

    check_rewrite(&mail->headers, mail->body, settings, &result);
    snprintf(path, sizeof path, "%s.expect", mail->path);
    buf_init(&outcome, TEXT_MAX);
    add_outcome(&result, &outcome);
    if (!corpus_read(path, &expected) || !slice_eq(buf_slice(&expected), buf_slice(&outcome))) {
        print_message("%s\n  expected %s  got      %s", mail->path, buf_text(&expected), buf_text(&outcome));
        disappointed++;
    }
    buf_free(&expected);
    buf_free(&outcome);
    rewrite_result_free(&result);
}

static void each_mail_becomes_what_was_expected(void **state)
{
    (void)state;
    disappointed = 0;
    assert_true(corpus_each(compare_with_expectation, &plain_settings) >= MAILS_MIN);
    assert_true(corpus_each_of("decoy", compare_with_expectation, &decoy_settings) >= DECOYS_MIN);
    assert_true(corpus_each_of("footer", compare_with_expectation, &footer_settings) >= FOOTERS_MIN);
    assert_int_equal(disappointed, 0);
}

static void write_reference(const char *path, struct slice text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(text.p, 1, text.len, file), text.len);
    fclose(file);
}

static void compare_with_reference(const struct corpus_mail *mail, void *arg)
{
    const struct rewrite_settings *settings = arg;
    struct rewrite_result result;
    struct buf reference, joined;
    char path[4096];

    check_rewrite(&mail->headers, mail->body, settings, &result);
    join(mail, &result, &joined);
    snprintf(path, sizeof path, "%s.ref", mail->path);
    if (getenv("UPDATE_REFERENCES"))
        write_reference(path, buf_slice(&joined));
    assert_true(corpus_read(path, &reference));
    if (!slice_eq(buf_slice(&reference), buf_slice(&joined)))
        fail_msg("the result is not that of %s", path);
    buf_free(&reference);
    buf_free(&joined);
    rewrite_result_free(&result);
}

static void each_mail_goes_out_as_its_reference(void **state)
{
    (void)state;
    assert_true(corpus_each(compare_with_reference, &plain_settings) >= MAILS_MIN);
    assert_true(corpus_each_of("decoy", compare_with_reference, &decoy_settings) >= DECOYS_MIN);
    assert_true(corpus_each_of("footer", compare_with_reference, &footer_settings) >= FOOTERS_MIN);
}

/* A mark that was taken out protects its link only once. */
static bool opted_out(const struct rewrite_result *result)
{
    for (size_t at = 0; at < result->links; at++)
        if (result->link[at].fate == LINK_OPTED_OUT)
            return true;
    return false;
}

/* With other tokens as many pixels come, and the same bytes but for the tokens; with the same, the same bytes. */
static void rewrite_twice(const struct corpus_mail *mail, void *arg)
{
    const struct rewrite_settings *settings = arg;
    struct rewrite_settings other = *settings;
    struct rewrite_result first, same, second;

    other.urls.arg = check_settings("two").urls.arg;
    check_rewrite(&mail->headers, mail->body, settings, &first);
    if (first.changed) {
        struct slice body = buf_slice(&first.body);

        check_rewrite(&mail->headers, body, settings, &same);
        check_rewrite(&mail->headers, body, &other, &second);
        assert_int_equal(same.pixels, first.pixels);
        assert_int_equal(second.pixels, first.pixels);
        if (!opted_out(&first)) {
            struct slice again = same.changed ? buf_slice(&same.body) : body;

            if (!slice_eq(again, body))
                fail_msg("%s: another rewriting gives other bytes: %s", mail->path, buf_text(&same.body));
            assert_int_equal(second.changed ? second.body.len : body.len, body.len);
            assert_int_equal(second.wrapped, first.wrapped);
        }
        rewrite_result_free(&same);
        rewrite_result_free(&second);
    }
    rewrite_result_free(&first);
}

static void rewriting_again_changes_nothing_but_tokens(void **state)
{
    (void)state;
    corpus_each(rewrite_twice, &plain_settings);
    corpus_each(rewrite_twice, &decoy_settings);
    corpus_each_of("decoy", rewrite_twice, &decoy_settings);
}

/* All pages and texts of a mail, decoded, one behind the other. */
static void decode_texts(const struct header_list *headers, struct slice body, struct buf *out)
{
    struct mime_tree tree;
    struct buf text;

    buf_init(out, 10 * TEXT_MAX);
    assert_true(mime_scan(headers, body, &tree));
    for (size_t at = 0; at < tree.count; at++) {
        const struct mime_part *part = &tree.part[at];

        if (part->opaque || part->attachment || !slice_starts_i(slice_str(part->type), slice_str("text/")))
            continue;
        if (corpus_decode(part, body, &text))
            buf_add_slice(out, buf_slice(&text));
        buf_free(&text);
    }
    mime_tree_free(&tree);
}

/* What spoor-match does to a quoted mail. */
static void clean_mail(const struct corpus_mail *mail, void *arg)
{
    struct rewrite_settings settings = *(const struct rewrite_settings *)arg;
    struct rewrite_result first, cleaned;
    struct buf text;

    check_rewrite(&mail->headers, mail->body, &settings, &first);
    settings.add_pixel = settings.track_links = settings.add_decoy = false;
    settings.consent_text = NULL;
    if (first.changed) {
        check_rewrite(&mail->headers, buf_slice(&first.body), &settings, &cleaned);
        decode_texts(&mail->headers, cleaned.changed ? buf_slice(&cleaned.body) : buf_slice(&first.body), &text);
        if (memmem(text.data, text.len, CHECK_TRACKING_URL "/", strlen(CHECK_TRACKING_URL) + 1))
            fail_msg("%s: a URL of ours is left", mail->path);
        if (memmem(text.data, text.len, "aria-hidden=\"true\" tabindex", strlen("aria-hidden=\"true\" tabindex")))
            fail_msg("%s: a decoy without its URL is left", mail->path);
        buf_free(&text);
        rewrite_result_free(&cleaned);
    }
    rewrite_result_free(&first);
}

static void cleaning_leaves_no_url_of_ours(void **state)
{
    (void)state;
    corpus_each(clean_mail, &plain_settings);
    corpus_each(clean_mail, &decoy_settings);
    corpus_each_of("decoy", clean_mail, &decoy_settings);
    corpus_each(clean_mail, &footer_settings);
    corpus_each_of("footer", clean_mail, &footer_settings);
}

/* An img of ours: all of it comes and goes. */
static bool is_pixel(const struct html_scanner *scanner, const struct html_token *token)
{
    struct slice tag = slice_of(scanner->text.p + token->at, token->end - token->at);

    return html_is(token, "img") && slice_find_i(tag, CHECK_TRACKING_URL "/o/") != (size_t)-1;
}

/* The start tag of a decoy; its end tag follows. */
static bool is_decoy(const struct html_scanner *scanner, const struct html_token *token)
{
    struct slice tag = slice_of(scanner->text.p + token->at, token->end - token->at);

    return html_is(token, "a") && slice_find_i(tag, "-decoy/") != (size_t)-1;
}

static void add_without_blanks(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++)
        if (!ascii_is_space(text.p[at]))
            buf_add_char(out, text.p[at]);
}

/* A link's tag but for what may change in it: the first href's value and the marks. */
static void add_link_tag(const struct html_scanner *scanner, const struct html_token *token, struct buf *out)
{
    struct html_attribute attribute;
    size_t at = token->attributes;
    bool href = false;

    buf_add_f(out, "<%s", token->name);
    while (html_next_attribute(scanner, token, &at, &attribute)) {
        bool first = !href && slice_is_i(attribute.name, "href");

        href |= first;
        if (link_mark_of(&attribute) == LINK_MARK_GOES)
            continue;
        add_without_blanks(attribute.name, out);
        if (!first)
            add_without_blanks(attribute.value, out);
    }
    buf_add_char(out, '>');
}

/* A page reduced to what nobody may change; blanks do not count, for lines may be broken. */
static void reduce_page(struct slice page, struct buf *out)
{
    struct html_scanner scanner;
    struct html_token token;
    bool decoy_open = false;
    size_t from = 0;

    html_scanner_init(&scanner, page);
    while (html_next(&scanner, &token)) {
        bool begins_decoy = token.kind == HTML_START_TAG && is_decoy(&scanner, &token);
        bool ends_decoy = decoy_open && token.kind == HTML_END_TAG && html_is(&token, "a");
        bool link = token.kind == HTML_START_TAG && (html_is(&token, "a") || html_is(&token, "area"));

        add_without_blanks(slice_of(page.p + from, token.at - from), out);
        from = token.end;
        decoy_open = begins_decoy || (decoy_open && !ends_decoy && !link);
        if (begins_decoy || ends_decoy || (token.kind == HTML_START_TAG && is_pixel(&scanner, &token)))
            continue;
        if (link)
            add_link_tag(&scanner, &token, out);
        else
            add_without_blanks(slice_of(page.p + token.at, token.end - token.at), out);
    }
    add_without_blanks(slice_from(page, from), out);
}

static void reduce_pages(const struct header_list *headers, struct slice body, struct buf *out)
{
    struct mime_tree tree;
    struct buf page;

    buf_init(out, 10 * TEXT_MAX);
    assert_true(mime_scan(headers, body, &tree));
    for (size_t at = 0; at < tree.count; at++) {
        if (tree.part[at].opaque || strcmp(tree.part[at].type, "text/html") != 0)
            continue;
        if (corpus_decode(&tree.part[at], body, &page))
            reduce_page(buf_slice(&page), out);
        buf_free(&page);
    }
    mime_tree_free(&tree);
}

static void compare_decoded(const struct corpus_mail *mail, void *arg)
{
    struct rewrite_result result;
    struct buf before, after;

    check_rewrite(&mail->headers, mail->body, arg, &result);
    if (result.changed) {
        reduce_pages(&mail->headers, mail->body, &before);
        reduce_pages(&mail->headers, buf_slice(&result.body), &after);
        if (!slice_eq(buf_slice(&before), buf_slice(&after)))
            fail_msg("%s: more changed than links and pixels:\n%s\n%s", mail->path, buf_text(&before),
                     buf_text(&after));
        buf_free(&before);
        buf_free(&after);
    }
    rewrite_result_free(&result);
}

static void decoded_pages_differ_in_links_and_pixels_alone(void **state)
{
    (void)state;
    corpus_each(compare_decoded, &plain_settings);
    corpus_each(compare_decoded, &decoy_settings);
    corpus_each_of("decoy", compare_decoded, &decoy_settings);
}

/* The first plain text, decoded; false when there is none that can be read. */
static bool first_text(const struct header_list *headers, struct slice body, struct buf *text)
{
    struct mime_tree tree;
    int at;
    bool found;

    buf_init(text, TEXT_MAX);
    assert_true(mime_scan(headers, body, &tree));
    at = mime_first_shown(&tree, "text/plain");
    found = at != MIME_NO_PARENT && !tree.part[at].opaque && corpus_decode(&tree.part[at], body, text);
    mime_tree_free(&tree);
    return found;
}

static unsigned footers;

static void compare_texts(const struct corpus_mail *mail, void *arg)
{
    struct rewrite_result result;
    struct buf before, after;

    check_rewrite(&mail->headers, mail->body, arg, &result);
    if (result.changed && !result.cleaned && first_text(&mail->headers, mail->body, &before)) {
        assert_true(first_text(&mail->headers, buf_slice(&result.body), &after));
        if (!slice_starts_i(buf_slice(&after), buf_slice(&before)))
            fail_msg("%s: the text is another one: %s", mail->path, buf_text(&after));
        footers += after.len > before.len;
        if (after.len > before.len && !strstr(buf_text(&after) + before.len, "\nDer Absender"))
            fail_msg("%s: the footer is no line of its own: %s", mail->path, buf_text(&after));
        buf_free(&after);
        buf_free(&before);
    }
    rewrite_result_free(&result);
}

static void a_footer_stands_behind_all_of_the_text(void **state)
{
    (void)state;
    corpus_each_of("footer", compare_texts, &footer_settings);
    corpus_each(compare_texts, &footer_settings);
    assert_true(footers > FOOTERS_MIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mail_becomes_what_was_expected),
        cmocka_unit_test(each_mail_goes_out_as_its_reference),
        cmocka_unit_test(rewriting_again_changes_nothing_but_tokens),
        cmocka_unit_test(cleaning_leaves_no_url_of_ours),
        cmocka_unit_test(decoded_pages_differ_in_links_and_pixels_alone),
        cmocka_unit_test(a_footer_stands_behind_all_of_the_text),
    };

    return cmocka_run_group_tests_name("corpus", tests, set_up, NULL);
}
