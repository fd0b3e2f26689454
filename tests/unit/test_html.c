/* SPDX-License-Identifier: BSD-2-Clause */
/* the tokenizer: which tags are seen, and which attributes they have */

#include "common/buf.h"
#include "mail/html.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* The live tags of a text in order, "a /a b": end tags with a slash. */
static void expect_tags(const char *html, const char *expected)
{
    struct html_scanner scanner;
    struct html_token token;
    struct buf seen;

    buf_init(&seen, 10000);
    html_scanner_init(&scanner, slice_str(html));
    while (html_next(&scanner, &token))
        if (token.kind != HTML_TEXT && token.live)
            buf_add_f(&seen, "%s%s%s", seen.len ? " " : "", token.kind == HTML_END_TAG ? "/" : "",
                      token.name);
    assert_string_equal(buf_text(&seen), expected);
    buf_free(&seen);
}

static void comments_hide_what_they_should(void **state)
{
    (void)state;
    expect_tags("<!-- <a> --><b>", "b");
    expect_tags("<!--><b>--><i>", "b i");
    expect_tags("<!---><b>", "b");
    expect_tags("<!-- x --!><b>", "b");
    expect_tags("<!--!><b>--><i>", "i");
    expect_tags("<!-- <!-- --><b>", "b");
    expect_tags("<!--[if mso]><a href=x></a><![endif]--><b>", "b");
    expect_tags("<![if !mso]><a></a><![endif]>", "a /a");
    expect_tags("<!-- <b>", "");
    expect_tags("<?xml <b>><i>", "i");
    expect_tags("</ b><i>", "i");
}

static void raw_text_hides_tags(void **state)
{
    (void)state;
    expect_tags("<style></body></STYLE ><b>", "style /style b");
    expect_tags("<title><a></title><b>", "title /title b");
    expect_tags("<textarea></textareas></textarea/><b>", "textarea /textarea b");
    expect_tags("<script><!--<script></script></body>--></script><b>", "script /script b");
    expect_tags("<script><!--></script><b>", "script /script b");
    expect_tags("<plaintext><b></plaintext>", "plaintext");
    expect_tags("<style><b>", "style");
    expect_tags("<noscript><b></noscript>", "noscript b /noscript");
}

static void foreign_content_is_not_live(void **state)
{
    (void)state;
    expect_tags("<svg><a></a></svg><b>", "b");
    expect_tags("<svg/><b>", "svg b");
    expect_tags("<svg><![CDATA[</svg><b>]]></svg><i>", "i");
    expect_tags("<![CDATA[<b>]]>", "");
    expect_tags("<math><mi><a></mi></math><b>", "b");
    expect_tags("<svg><foreignObject><style></svg></style></foreignObject></svg><i>", "i");
    expect_tags("<svg><svg></svg><a></svg><i>", "i");
    expect_tags("<svg><p><a>", "p a");
    expect_tags("<template><a><template></template></a></template><b>", "b");
}

static void expect_attributes(const char *html, const char *expected)
{
    struct html_scanner scanner;
    struct html_attribute attribute;
    struct html_token token;
    struct buf seen;
    size_t at;

    buf_init(&seen, 10000);
    html_scanner_init(&scanner, slice_str(html));
    assert_true(html_next(&scanner, &token));
    at = token.attributes;
    while (html_next_attribute(&scanner, &token, &at, &attribute)) {
        buf_add_slice(&seen, attribute.name);
        if (attribute.has_value)
            buf_add_f(&seen, "=%c%.*s", attribute.quote ? attribute.quote : '_', SLICE_ARG(attribute.value));
        buf_add_char(&seen, '|');
        assert_int_equal(attribute.end <= token.end, true);
    }
    assert_string_equal(buf_text(&seen), expected);
    buf_free(&seen);
}

static void attributes_in_all_quotings(void **state)
{
    (void)state;
    expect_attributes("<a href=\"x>y\" b='z' c=d/ e>", "href=\"x>y|b='z|c=_d/|e|");
    expect_attributes("<a\nhref\n=\n\"x\"b=1>", "href=\"x|b=_1|");
    expect_attributes("<a/href=x/>", "href=_x/|");
    expect_attributes("<a =b=c d= >", "=b=_c|d=_|");
    expect_attributes("<a href=''>", "href='|");
}

static void an_unfinished_tag_is_none(void **state)
{
    struct html_scanner scanner;
    struct html_token token;

    (void)state;
    html_scanner_init(&scanner, slice_str("text <a href=\"x>"));
    assert_true(html_next(&scanner, &token));
    assert_int_equal(token.kind, HTML_TEXT);
    assert_false(html_next(&scanner, &token));
    assert_int_equal(scanner.whole, 5);
}

static void a_lone_less_than_is_text(void **state)
{
    (void)state;
    expect_tags("1 < 2 <3 <b>", "b");
    expect_tags("<<b>", "b");
    expect_tags("a <", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments_hide_what_they_should), cmocka_unit_test(raw_text_hides_tags),
        cmocka_unit_test(foreign_content_is_not_live),    cmocka_unit_test(attributes_in_all_quotings),
        cmocka_unit_test(an_unfinished_tag_is_none),      cmocka_unit_test(a_lone_less_than_is_text),
    };

    return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
