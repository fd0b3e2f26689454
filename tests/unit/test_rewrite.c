/* SPDX-License-Identifier: BSD-2-Clause */
/* whole mails: where the pixel goes, and the fate of links */

#include "tests/support/rewrite_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A mail in pieces, and what became of it. */
struct outcome {
    struct header_list headers;
    struct slice body;
    struct rewrite_result result;
};

static void outcome_free(struct outcome *outcome)
{
    rewrite_result_free(&outcome->result);
    header_list_free(&outcome->headers);
}

static void run_slice(struct slice mail, const struct rewrite_settings *settings, struct outcome *outcome)
{
    header_list_init(&outcome->headers);
    outcome->body = slice_from(mail, header_parse(mail, &outcome->headers));
    check_rewrite(&outcome->headers, outcome->body, settings, &outcome->result);
}

static void run_mail(const char *mail, struct outcome *outcome)
{
    struct rewrite_settings settings = check_settings("one");

    run_slice(slice_str(mail), &settings, outcome);
}

/* The body, the blanks that make a short page longer written as one. */
static void add_squeezed(const char *body, struct buf *out)
{
    while (*body) {
        size_t blanks = strspn(body, "\r\n ");

        if (blanks > 100) {
            buf_add_char(out, ' ');
            body += blanks;
        } else {
            buf_add_char(out, *body++);
        }
    }
}

/* Rewrites an HTML mail (7bit) and expects this body; the pixel is "[P]" in it. */
static void expect_page(const char *html, const char *expected, bool pixel)
{
    static const char markup[] =
        "<img src=\"" CHECK_TRACKING_URL "/o/one.gif\" width=\"1\" height=\"1\" alt=\"\" "
        "style=\"border:0;width:1px;height:1px\">";
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    struct buf mail, wanted, squeezed;

    buf_init(&mail, 100000);
    buf_init(&wanted, 100000);
    buf_init(&squeezed, 100000);
    buf_add_f(&mail, "Content-Type: text/html\r\n\r\n%s", html);
    for (const char *at = expected; *at; at++) {
        if (strncmp(at, "[P]", 3) == 0) {
            buf_add_str(&wanted, markup);
            at += 2;
        } else {
            buf_add_char(&wanted, *at);
        }
    }
    settings.add_pixel = pixel;
    run_slice(buf_slice(&mail), &settings, &outcome);
    add_squeezed(outcome.result.changed ? buf_text(&outcome.result.body) : html, &squeezed);
    assert_string_equal(buf_text(&squeezed), buf_text(&wanted));
    outcome_free(&outcome);
    buf_free(&mail);
    buf_free(&wanted);
    buf_free(&squeezed);
}

static void the_pixel_stands_where_the_page_ends(void **state)
{
    (void)state;
    expect_page("<body>x</body>", "<body>x[P]</body>", true);
    expect_page("<body>x</body><!-- </body> --></html>", "<body>x[P]</body><!-- </body> --></html>", true);
    expect_page("<body>x</body>y</BODY >", "<body>x</body>y[P]</BODY >", true);
    expect_page("<html>x</html>\r\n", "<html>x[P]</html>\r\n", true);
    expect_page("x\r\n", "x[P]\r\n", true);
    expect_page("x <!-- open", "x <!-- open", false);
    expect_page("x<!-- open", "x[P]<!-- open", true);
    expect_page("<body><style></body></style>x", "<body><style></body></style>x[P]", true);
}

/* What a filter counts: a page of this many letters before, of how many after? In QP without its soft breaks. */
static size_t grown(const char *encoding, size_t letters)
{
    struct outcome outcome;
    struct buf mail;
    size_t count = 0;

    buf_init(&mail, 100000);
    buf_add_f(&mail, "Content-Type: text/html\r\nContent-Transfer-Encoding: %s\r\n\r\n", encoding);
    for (size_t at = 0; at < letters; at++)
        buf_add_str(&mail, at % 70 == 69 ? "\r\n" : "x");
    run_mail(buf_text(&mail), &outcome);
    assert_int_equal(outcome.result.pixels, 1);
    for (const char *at = buf_text(&outcome.result.body); *at; at++) {
        if (strncmp(at, "=\r\n", 3) == 0 || strncmp(at, "=3D", 3) == 0)
            at += 2;
        count += *at != '\r' && *at != '\n';
    }
    outcome_free(&outcome);
    buf_free(&mail);
    return count;
}

static void a_page_with_a_pixel_is_no_short_one(void **state)
{
    (void)state;
    assert_int_equal(grown("7bit", 1), 3240);
    assert_int_equal(grown("7bit", 2000), 3240);
    assert_int_equal(grown("quoted-printable", 1), 3240);
    assert_int_equal(grown("quoted-printable", 3000), 3240);
    assert_in_range(grown("7bit", 3300), 3300, 3500);
    assert_in_range(grown("quoted-printable", 20000), 19000, 20200);
}

static void the_pixel_stands_before_the_history(void **state)
{
    (void)state;
    expect_page("<p>new</p><div class=\"gmail_quote\">old</div></body>",
                "<p>new</p>[P]<div class=\"gmail_quote\">old</div></body>", true);
    expect_page("<blockquote type=\"cite\">old</blockquote>answer</body>",
                "<blockquote type=\"cite\">old</blockquote>answer[P]</body>", true);
    expect_page("<p>&nbsp;</p><div id=\"divRplyFwdMsg\">old</body>",
                "<p>&nbsp;</p><div id=\"divRplyFwdMsg\">old[P]</body>", true);
}

static void links_are_wrapped_in_any_quoting(void **state)
{
    (void)state;
    expect_page("<a href=\"http://a.example/?b=1&amp;c\">x y</a>",
                "<a href=\"" CHECK_TRACKING_URL "/c/one-1/http%3A%2F%2Fa.example%2F%3Fb%3D1%26c\">x y</a>",
                false);
    expect_page("<A HREF = 'h&#116;tp://a.example/\n'>x y</A>",
                "<A HREF = '" CHECK_TRACKING_URL "/c/one-1/http%3A%2F%2Fa.example%2F'>x y</A>", false);
    expect_page("<a href=http://a.example/>x y</a><area href=http://a.example/>",
                "<a href=" CHECK_TRACKING_URL
                "/c/one-1/http%3A%2F%2Fa.example%2F>x y</a><area href=" CHECK_TRACKING_URL
                "/c/one-1/http%3A%2F%2Fa.example%2F>",
                false);
    expect_page("<a href=\"http://a.example/\" href=\"http://b.example/\">x y</a>",
                "<a href=\"" CHECK_TRACKING_URL
                "/c/one-1/http%3A%2F%2Fa.example%2F\" href=\"http://b.example/\">x y</a>",
                false);
    expect_page("<svg><a href=\"http://a.example/\">x y</a></svg>",
                "<svg><a href=\"http://a.example/\">x y</a></svg>", false);
}

static void marks_are_honoured_and_taken_out(void **state)
{
    (void)state;
    expect_page("<a clicktracking=off href=\"http://a.example/\">x y</a>",
                "<a href=\"http://a.example/\">x y</a>", false);
    expect_page("<a href=\"http://a.example/\" ses:no-track>x y</a>", "<a href=\"http://a.example/\">x y</a>",
                false);
    expect_page("<a href=\"http://a.example/\" data-pm-no-track>x y</a>",
                "<a href=\"http://a.example/\" data-pm-no-track>x y</a>", false);
    expect_page("<a href=\"https+notrack://a.example/\">x y</a>", "<a href=\"https://a.example/\">x y</a>",
                false);
}

struct fate_case {
    const char *href, *text;
    enum rewrite_fate fate;
};

static void each_link_has_its_fate(void **state)
{
    static const struct fate_case cases[] = {
        {"http://a.example/x", "read on", LINK_WRAPPED},
        {"http://a.example/x", "report.pdf", LINK_WRAPPED},
        {"http://a.example/x", "http://a.example/x", LINK_TEXT_IS_URL},
        {"http://a.example/x", " <b>www.</b>a.example\r\n", LINK_TEXT_IS_URL},
        {"http://a.example/x", "a.example/x", LINK_TEXT_IS_URL},
        {"http://a.example/unsubscribe?id=1", "here we go", LINK_UNSUBSCRIBE},
        {"http://a.example/x", "Newsletter abmelden", LINK_UNSUBSCRIBE},
        {"http://a.example/listed", "stop", LINK_UNSUBSCRIBE},
        {"https://a.example/password/new?t=1", "go on", LINK_SENSITIVE},
        {"mailto:a@b.example", "write us", LINK_NOT_HTTP},
        {"#top", "to the top", LINK_NOT_HTTP},
        {"/relative", "go on", LINK_NOT_HTTP},
        {"javascript:x", "go on", LINK_NOT_HTTP},
        {"http://user@a.example/", "go on", LINK_UNSIGNABLE},
        {"http://a.example/\xc3\xa9", "go on", LINK_UNSIGNABLE},
        {"http://a.example/&eacute;", "go on", LINK_UNSIGNABLE},
        {"http://a.example/a b", "go on", LINK_UNSIGNABLE},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct outcome outcome;
        struct buf mail;

        buf_init(&mail, 10000);
        buf_add_f(&mail,
                  "Content-Type: text/html\r\nList-Unsubscribe: <mailto:x@y.example>,\r\n "
                  "<http://a.example/listed>\r\n\r\n"
                  "<a href=\"%s\">%s</a>",
                  cases[at].href, cases[at].text);
        run_mail(buf_text(&mail), &outcome);
        assert_int_equal(outcome.result.links, 1);
        if (outcome.result.link[0].fate != cases[at].fate)
            fail_msg("%s (%s): %s", cases[at].href, cases[at].text,
                     rewrite_fate_name(outcome.result.link[0].fate));
        outcome_free(&outcome);
        buf_free(&mail);
    }
}

static void others_links_in_history_stay(void **state)
{
    (void)state;
    expect_page(
        "new <a href=\"http://a.example/\">x y</a><blockquote type=cite><a href=\"http://b.example/\">x y</a>"
        "<img src=\"" CHECK_TRACKING_URL "/o/old.gif\"><a href=\"" CHECK_TRACKING_URL
        "/c/old-1/http%3A%2F%2Fc.example%2F%3Fa%26b\">x y</a></blockquote>",
        "new <a href=\"" CHECK_TRACKING_URL
        "/c/one-1/http%3A%2F%2Fa.example%2F\">x y</a><blockquote type=cite>"
        "<a href=\"http://b.example/\">x y</a><a href=\"http://c.example/?a&amp;b\">x y</a></blockquote>",
        false);
}

#define OLD_DECOY "<a href=\"" CHECK_TRACKING_URL "/c/old-decoy/x\" aria-hidden=\"true\" tabindex=\"-1\">"

static void old_decoys_go_whole(void **state)
{
    (void)state;
    expect_page("<p>x" OLD_DECOY "</a></p>", "<p>x</p>", false);
    expect_page("<p>x" OLD_DECOY "\r\n</a></p>", "<p>x\r\n</p>", false);
    expect_page("<blockquote type=cite>x" OLD_DECOY "</a><img src=\"" CHECK_TRACKING_URL "/o/old.gif\"></blockquote>",
                "<blockquote type=cite>x</blockquote>", false);
    /* what an editor made of it keeps what it holds, and later links keep their ends */
    expect_page(OLD_DECOY "<b>x</b></a> <a name=y>z</a>", "<b>x</b> <a name=y>z</a>", false);
    expect_page(OLD_DECOY "x <a name=y>z</a>", "x <a name=y>z</a>", false);
    expect_page(OLD_DECOY "<area href=#y>x</a>", "<area href=#y>x</a>", false);
    expect_page("<area href=" CHECK_TRACKING_URL "/c/old-decoy/x>y</a>", "y</a>", false);
    /* a mark in the tag goes with it */
    expect_page("x<a clicktracking=off href=" CHECK_TRACKING_URL "/c/old-decoy/x ses:no-track></a>y", "xy", false);
    /* one within a link ends it */
    expect_page("<a href=\"http://a.example/\">x y" OLD_DECOY "</a>z</a>",
                "<a href=\"" CHECK_TRACKING_URL "/c/one-1/http%3A%2F%2Fa.example%2F\">x yz</a>", false);
    expect_page("<template>" OLD_DECOY "</a></template>", "<template>" OLD_DECOY "</a></template>", false);
}

/* How many decoys a mail gets. */
static unsigned decoys(const char *head, size_t letters, const char *tail, bool pixel)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    struct buf mail;
    unsigned count = 0;

    buf_init(&mail, 1000000);
    buf_add_str(&mail, head);
    for (size_t at = 0; at < letters; at++)
        buf_add_str(&mail, at % 70 == 69 ? "\r\n" : "x");
    buf_add_str(&mail, tail);
    settings.add_decoy = true;
    settings.add_pixel = pixel;
    run_slice(buf_slice(&mail), &settings, &outcome);
    for (const char *at = buf_text(&outcome.result.body); (at = strstr(at, "/c/one-decoy/")) != NULL; at++)
        count++;
    outcome_free(&outcome);
    buf_free(&mail);
    return count;
}

static void each_page_with_a_pixel_has_one_decoy(void **state)
{
    static const char page[] = "Content-Type: text/html\r\n\r\n<body>";
    static const char pages[] = "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\nx\r\n"
                                "--b\r\nContent-Type: text/html\r\n\r\ny\r\n--b--\r\n";

    (void)state;
    assert_int_equal(decoys(page, 1, "</body>", true), 1);
    assert_int_equal(decoys(page, 100000, "</body>", true), 1); /* but two pixels */
    assert_int_equal(decoys(page, 1, OLD_DECOY "</a></body>", true), 1);
    assert_int_equal(decoys(page, 1, "</body>", false), 0);
    assert_int_equal(decoys(pages, 0, "", true), 2);
    assert_int_equal(decoys("Content-Type: text/plain\r\n\r\n", 1, "", true), 0);
}

static bool add_long_decoy(void *arg, struct buf *out)
{
    (void)arg;
    for (int n = 0; n < 50; n++)
        buf_add_str(out, "0123456789");
    return true;
}

static void a_decoy_that_fits_no_line_is_left_out(void **state)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;

    (void)state;
    settings.add_decoy = true;
    settings.urls.decoy = add_long_decoy;
    run_slice(slice_str("Content-Type: text/html\r\n\r\nx"), &settings, &outcome);
    assert_int_equal(outcome.result.pixels, 1);
    assert_null(strstr(buf_text(&outcome.result.body), "aria-hidden"));
    outcome_free(&outcome);
}

struct degree_case {
    const char *mail, *reason;
    enum rewrite_degree degree;
};

static void sealed_mails_keep_their_bodies(void **state)
{
    static const struct degree_case cases[] = {
        {"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "signed",
         REWRITE_HEADERS},
        {"Content-Type: multipart/encrypted; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "encrypted",
         REWRITE_HEADERS},
        {"Content-Type: application/pkcs7-mime; name=smime.p7m\r\n\r\nx", "smime", REWRITE_HEADERS},
        {"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n", "report",
         REWRITE_HEADERS},
        {"\r\nhello\r\n-----BEGIN PGP MESSAGE-----\r\n", "inline_pgp", REWRITE_HEADERS},
        {"Content-Type: text/html\r\n\r\n<pre>-----BEGIN PGP MESSAGE-----\r\n", "inline_pgp",
         REWRITE_HEADERS},
        {"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; "
         "hp=clear\r\n\r\nx\r\n--b--\r\n",
         "protected_headers", REWRITE_NOTHING},
        {"Content-Type: text/plain\r\n\r\nx", "no_html", REWRITE_BODY},
        {"Content-Type: text/html; charset=utf-7\r\n\r\nx", "charset", REWRITE_BODY},
        {"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!", "base64", REWRITE_BODY},
    };

    (void)state;
    for (size_t at = 0; at < sizeof cases / sizeof cases[0]; at++) {
        struct outcome outcome;

        run_mail(cases[at].mail, &outcome);
        assert_false(outcome.result.changed);
        assert_int_equal(outcome.result.degree, cases[at].degree);
        assert_string_equal(outcome.result.reason, cases[at].reason);
        outcome_free(&outcome);
    }
}

/* A line of a part of type text/TYPE that a mail with the boundary "xyz" has; does it stay for what it would become? */
static void expect_stays(const char *type, const char *line, bool stays)
{
    struct outcome outcome;
    struct buf mail;

    buf_init(&mail, 10000);
    buf_add_f(&mail,
              "Content-Type: multipart/mixed; boundary=xyz\r\n\r\n--xyz\r\nContent-Type: text/%s\r\n\r\nx\r\n%s\r\n"
              "y <a href=\"http://a.example/\">z w</a> " CHECK_TRACKING_URL "/o/old.gif\r\n--xyz--\r\n",
              type, line);
    run_mail(buf_text(&mail), &outcome);
    if (outcome.result.changed == stays)
        fail_msg("%s: %s", line, stays ? "changed" : outcome.result.reason);
    if (stays) {
        assert_int_equal(outcome.result.degree, REWRITE_HEADERS);
        assert_string_equal(outcome.result.reason, "delimiter");
        assert_int_equal(outcome.result.links, 0);
    }
    outcome_free(&outcome);
    buf_free(&mail);
}

static void no_line_becomes_a_delimiter(void **state)
{
#define QP "html\r\nContent-Transfer-Encoding: quoted-printable"
    (void)state;
    expect_stays("html", "<img src=\"" CHECK_TRACKING_URL "/o/old.gif\">--xyz", true);
    expect_stays("html", "--<img src=\"" CHECK_TRACKING_URL "/o/old.gif\">xyz--", true);
    expect_stays("html", OLD_DECOY "</a>--xyz", true);
    expect_stays("html", "<p>--xyz <a href=\"http://a.example/\">x y</a>", false);
    expect_stays("html", "--xy <a href=\"http://a.example/\">x y</a>", false);
    expect_stays("html", "<img src=\"" CHECK_TRACKING_URL "/o/old.gif\">-- xyz", false);
    expect_stays(QP, "<img src=3D\"" CHECK_TRACKING_URL "/o/old.gif\">--xyz", true);
    expect_stays(QP, "<p>=\r\n<img src=3D\"" CHECK_TRACKING_URL "/o/old.gif\">--xyz", true);
    expect_stays("plain", "<" CHECK_TRACKING_URL "/o/old.gif>--xyz", true);
    expect_stays("plain", "<" CHECK_TRACKING_URL "/o/old.gif>--xy", false);
#undef QP
}

static void too_large_bodies_stay(void **state)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;

    (void)state;
    settings.body_limit = 3;
    run_slice(slice_str("Content-Type: text/html\r\n\r\nabcd"), &settings, &outcome);
    assert_int_equal(outcome.result.degree, REWRITE_HEADERS);
    assert_string_equal(outcome.result.reason, "body_limit");
    outcome_free(&outcome);
}

static void alternatives_each_get_a_pixel_and_mixed_pages_one(void **state)
{
    static const char two[] =
        "--b\r\nContent-Type: text/html\r\n\r\nx\r\n--b\r\nContent-Type: text/html\r\n\r\ny\r\n--b--\r\n";
    char mail[1000];
    struct outcome outcome;

    (void)state;
    snprintf(mail, sizeof mail, "Content-Type: multipart/alternative; boundary=b\r\n\r\n%s", two);
    run_mail(mail, &outcome);
    assert_int_equal(outcome.result.pixels, 2);
    outcome_free(&outcome);
    snprintf(mail, sizeof mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n%s", two);
    run_mail(mail, &outcome);
    assert_int_equal(outcome.result.pixels, 1);
    outcome_free(&outcome);
}

/* In each row parts of a mail: the letter of the one that has the footer's words is the one expected, "-" none. */
static void the_footer_stands_in_the_first_text_that_can_have_it(void **state)
{
#define PART(more, text) "--b\r\nContent-Type: text/plain; charset=utf-8" more "\r\n\r\n" text "\r\n"
#define FOREIGN(text) "--b\r\nContent-Type: text/plain; charset=x-nobody-knows\r\n\r\n" text "\r\n"
#define HTML(charset) "--b\r\nContent-Type: text/html; charset=" charset "\r\n\r\n<p>page</p>\r\n"
    static const struct {
        const char *subtype, *parts, *holder;
    } rows[] = {
        {"mixed", PART("", "text A") PART("", "text B"), "A"},
        {"mixed", FOREIGN("text A") PART("", "text B"), "B"},
        {"mixed", FOREIGN("text A") FOREIGN("text B"), "-"},
        {"mixed", PART("\r\nContent-Disposition: attachment; filename=a.txt", "text A") PART("", "text B"), "B"},
        {"mixed", PART("\r\nContent-Transfer-Encoding: base64", "%%% A") PART("", "text B"), "B"},
        {"mixed", PART("\r\nContent-Transfer-Encoding: nonsense", "text A") PART("", "text B"), "B"},
        {"mixed", PART("", " ") PART("", "text B"), "B"},
        {"mixed", PART("", "text A") HTML("utf-8"), "-"}, /* the page says so */
        {"mixed", FOREIGN("text A") HTML("utf-8") PART("", "text B"), "-"},
        {"mixed", PART("", "text A") HTML("x-nobody-knows"), "A"},
        {"alternative", PART("", "text A") HTML("utf-8"), "A"},
        {"alternative", FOREIGN("text A") PART("", "text B") HTML("utf-8"), "B"},
        {"mixed", "--b\r\nContent-Type: multipart/signed; boundary=c\r\n\r\n--c\r\n\r\ntext A\r\n--c--\r\n" PART("", "text B"), "B"},
        {"mixed", "--b\r\nContent-Type: multipart/alternative; boundary=c\r\n\r\n"
                  "--c\r\nContent-Type: text/plain; charset=x-nobody-knows\r\n\r\ntext A\r\n"
                  "--c\r\nContent-Type: text/html\r\n\r\n<p>page</p>\r\n--c--\r\n" PART("", "text B") PART("", "text C"), "B"},
    };
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    char mail[2000];

    (void)state;
    settings.consent_text = "Stop that.";
    settings.consent_in_text = true;
    settings.add_pixel = settings.clean = settings.text_links = false; /* the footer alone */
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        const char *found, *holder = "-";

        snprintf(mail, sizeof mail, "Content-Type: multipart/%s; boundary=b\r\n\r\n%s--b--\r\n", rows[row].subtype, rows[row].parts);
        run_slice(slice_str(mail), &settings, &outcome);
        found = strstr(buf_text(&outcome.result.body), "Stop that.\r\n");
        if (found) {
            const char *again = strstr(found + 1, "Stop that.\r\n");

            assert_null(again);
            holder = found;
            while (strncmp(holder, "text ", 5) != 0)
                holder--;
            holder += 5;
        }
        if (holder[0] != rows[row].holder[0])
            fail_msg("row %zu: %.1s in place of %s", row, holder, rows[row].holder);
        outcome_free(&outcome);
    }
#undef PART
#undef FOREIGN
#undef HTML
}

static void a_long_page_gets_a_second_pixel_at_its_top(void **state)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    struct buf mail;

    (void)state;
    buf_init(&mail, 1000000);
    buf_add_str(&mail, "Content-Type: text/html\r\n\r\n<body bgcolor=white>");
    for (int n = 0; n < 10000; n++)
        buf_add_str(&mail, "<p>x</p>\r\n");
    run_slice(buf_slice(&mail), &settings, &outcome);
    assert_int_equal(outcome.result.pixels, 2);
    assert_int_equal(outcome.result.edit[0].at, strlen("<body bgcolor=white>"));
    outcome_free(&outcome);
    buf_free(&mail);
}

static void long_lines_are_broken_in_tags_only(void **state)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    struct buf mail;

    (void)state;
    buf_init(&mail, 1000000);
    buf_add_str(&mail, "Content-Type: text/html\r\n\r\n<body>");
    for (int n = 0; n < 20; n++)
        buf_add_f(&mail, "<a href=\"http://a.example/%d\">go on</a>", n);
    run_slice(buf_slice(&mail), &settings, &outcome); /* which checks 998 */
    assert_int_equal(outcome.result.wrapped, 20);
    assert_null(strstr(buf_text(&outcome.result.body), "\r\ngo on"));
    outcome_free(&outcome);
    buf_free(&mail);
}

static void a_longer_pixel_in_an_old_ones_place_breaks_the_line(void **state)
{
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;
    struct buf mail;

    (void)state;
    buf_init(&mail, 10000);
    buf_add_str(&mail, "Content-Type: text/html\r\n\r\n");
    for (int n = 0; n < 94; n++)
        buf_add_str(&mail, "0123456789");
    buf_add_str(&mail, "<img src=" CHECK_TRACKING_URL "/o/x.gif></body>\r\n");
    run_slice(buf_slice(&mail), &settings, &outcome); /* which checks 998 */
    assert_int_equal(outcome.result.pixels, 1);
    assert_int_equal(outcome.result.cleaned, 1);
    outcome_free(&outcome);
    buf_free(&mail);
}

static void nul_bytes_and_lone_line_feeds_survive(void **state)
{
    static const char mail[] = "Content-Type: text/html\n\n<p>a\0b\nc\r\r\n</body>\0 tail";
    struct rewrite_settings settings = check_settings("one");
    struct outcome outcome;

    (void)state;
    run_slice(slice_of(mail, sizeof mail - 1), &settings, &outcome);
    assert_int_equal(outcome.result.edits, 1);
    assert_int_equal(outcome.result.edit[0].removed, 0);
    outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pixel_stands_where_the_page_ends),
        cmocka_unit_test(a_page_with_a_pixel_is_no_short_one),
        cmocka_unit_test(the_pixel_stands_before_the_history),
        cmocka_unit_test(links_are_wrapped_in_any_quoting),
        cmocka_unit_test(marks_are_honoured_and_taken_out),
        cmocka_unit_test(each_link_has_its_fate),
        cmocka_unit_test(others_links_in_history_stay),
        cmocka_unit_test(old_decoys_go_whole),
        cmocka_unit_test(each_page_with_a_pixel_has_one_decoy),
        cmocka_unit_test(a_decoy_that_fits_no_line_is_left_out),
        cmocka_unit_test(sealed_mails_keep_their_bodies),
        cmocka_unit_test(no_line_becomes_a_delimiter),
        cmocka_unit_test(too_large_bodies_stay),
        cmocka_unit_test(alternatives_each_get_a_pixel_and_mixed_pages_one),
        cmocka_unit_test(the_footer_stands_in_the_first_text_that_can_have_it),
        cmocka_unit_test(a_long_page_gets_a_second_pixel_at_its_top),
        cmocka_unit_test(long_lines_are_broken_in_tags_only),
        cmocka_unit_test(a_longer_pixel_in_an_old_ones_place_breaks_the_line),
        cmocka_unit_test(nul_bytes_and_lone_line_feeds_survive),
    };

    return cmocka_run_group_tests_name("rewrite", tests, NULL, NULL);
}
