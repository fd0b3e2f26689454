/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite - how fast mails are rewritten, beside Gumbo parsing the same decoded HTML.
 *
 * The last line is "rewrite RATIO": MB/s of rewrite() on quoted-printable HTML of 80 KB with 20 links,
 * divided by Gumbo's on what it decodes to. Both take turns in one run; medians count. Above it: other kinds
 * of mail in MB/s, and hostile ones of 5 MB in seconds.
 */

#include "mail/base64.h"
#include "mail/qp.h"
#include "tests/support/rewrite_check.h"

#include <gumbo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    PAGE_BYTES = 80 * 1024,
    LINKS = 20,
    ROUNDS = 15,
    REPEATS = 40,
    HOSTILE_BYTES = 5 * 1024 * 1024,
    ATTACHED_BYTES = 4 * 1024 * 1024
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;

    return a < b ? -1 : a > b;
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, compare);
    return values[ROUNDS / 2];
}

/* A newsletter's page. */
static void make_page(struct buf *out)
{
    size_t every = PAGE_BYTES / LINKS;

    buf_init(out, PAGE_BYTES * 2);
    buf_add_str(out,
                "<!DOCTYPE html>\r\n<html><head><title>News</title></head><body bgcolor=\"#ffffff\">\r\n");
    for (unsigned link = 0; link < LINKS; link++) {
        buf_add_f(
            out,
            "<p><a "
            "href=\"https://shop.example/p/%u?utm_source=news&amp;utm_medium=email\">Product</a></p>\r\n",
            link);
        while (out->len < every * (link + 1))
            buf_add_str(out, "<table width=\"100%\" style=\"border:0\"><tr><td class=\"x\" "
                             "style=\"padding:10px;color:#336699\">"
                             "Some words about it, caf\xc3\xa9 included.</td></tr></table>\r\n");
    }
    buf_add_str(out, "</body></html>\r\n");
}

static void encode_qp(struct slice text, struct buf *out)
{
    size_t column = 0;

    buf_init(out, text.len * 4);
    for (size_t at = 0; at < text.len; at++) {
        unsigned char c = (unsigned char)text.p[at];

        if (c == '\n') {
            buf_add_str(out, "\r\n");
            column = 0;
        } else if (c != '\r') {
            if (column > 72) {
                buf_add_str(out, "=\r\n");
                column = 0;
            }
            column +=
                (size_t)(c == '=' || c > 126 ? buf_add_f(out, "=%02X", c) * 3 : buf_add_char(out, (char)c));
        }
    }
}

static void rewrite_once(const struct header_list *headers, struct slice body)
{
    struct rewrite_settings settings = check_settings("bench");
    struct rewrite_result result;

    check_that(rewrite(headers, body, &settings, &result), "there is memory");
    rewrite_result_free(&result);
}

static void set_headers(struct header_list *headers, const char *type, const char *encoding)
{
    header_list_init(headers);
    header_list_add(headers, "Content-Type", type);
    header_list_add(headers, "Content-Transfer-Encoding", encoding);
}

static double seconds_of_rewrite(const struct header_list *headers, struct slice body, int repeats)
{
    double start = now();

    for (int n = 0; n < repeats; n++)
        rewrite_once(headers, body);
    return (now() - start) / repeats;
}

static void report_rate(const char *name, const char *type, const char *encoding, struct slice body)
{
    struct header_list headers;
    double seconds[ROUNDS];

    set_headers(&headers, type, encoding);
    for (int round = 0; round < ROUNDS; round++)
        seconds[round] = seconds_of_rewrite(&headers, body, body.len > PAGE_BYTES * 4 ? 1 : 10);
    printf("%-16s %8.0f MB/s\n", name, (double)body.len / median(seconds) / 1e6);
    header_list_free(&headers);
}

static void report_kinds(struct slice page, struct slice quoted)
{
    struct buf encoded, mixed;

    buf_init(&encoded, PAGE_BYTES * 4);
    buf_init(&mixed, ATTACHED_BYTES * 2);
    report_rate("quoted-printable", "text/html; charset=utf-8", "quoted-printable", quoted);
    report_rate("8bit", "text/html; charset=utf-8", "8bit", page);
    base64_encode(page, (struct base64_shape){76, true, true}, &encoded);
    report_rate("base64", "text/html; charset=utf-8", "base64", buf_slice(&encoded));
    buf_add_str(&mixed,
                "--b\r\nContent-Type: text/html\r\n\r\n<p>x\r\n--b\r\nContent-Type: application/pdf\r\n"
                "Content-Transfer-Encoding: base64\r\n\r\n");
    while (mixed.len < ATTACHED_BYTES)
        buf_add_slice(&mixed, buf_slice(&encoded));
    buf_add_str(&mixed, "\r\n--b--\r\n");
    report_rate("attachments", "multipart/mixed; boundary=b", "7bit", buf_slice(&mixed));
    buf_free(&encoded);
    buf_free(&mixed);
}

struct hostile {
    const char *name, *start, *repeated, *end, *type;
};

static const struct hostile hostiles[] = {
    {"div", "", "<div>", "", "text/html"},
    {"svg", "", "<svg>", "", "text/html"},
    {"svg in and out", "", "<svg><desc>", "", "text/html"},
    {"template", "", "<template>", "", "text/html"},
    {"cdata", "<svg>", "<![CDATA[x]]>", "", "text/html"},
    {"attributes", "<a ", "a=b ", ">", "text/html"},
    {"classes", "<div ", "class=a ", ">", "text/html"},
    {"marks", "<a ", "clicktracking=off ", "href=x>", "text/html"},
    {"long attribute", "<a href=\"http://", "a", "\">x</a>", "text/html"},
    {"references", "<a href=\"http://", "&amp;", "\">x</a>", "text/html"},
    {"open quote", "", "<a href=\"", "", "text/html"},
    {"links", "", "<a href=http://a.example/x>", "", "text/html"},
    {"old pixels", "", "<img src=" CHECK_TRACKING_URL "/o/x.gif>", "", "text/html"},
    {"old links", "", "<a href=" CHECK_TRACKING_URL "/c/x/http%3A%2F%2Fa.example>", "", "text/html"},
    {"less than", "", "<", "", "text/html"},
    {"dashes", "<!--", "-", "", "text/html"},
    {"comments", "", "<!--", "", "text/html"},
    {"script", "<script><!--", "<script></", "", "text/html"},
    {"styles", "", "<style></styl", "", "text/html"},
    {"ampersands", "<a href=\"", "&", "\">", "text/html"},
    {"quotes", "x", "<blockquote type=cite>", "", "text/html"},
    {"delimiters", "", "--b\r\n\r\n", "", "multipart/mixed; boundary=b"},
    {"dash lines", "", "--\r\n", "", "multipart/mixed; boundary=b"},
    {"nested parts", "", "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", "",
     "multipart/mixed; boundary=b"},
    {"armour", "", "-----BEGIN PGP", "", "text/html"},
};

static double run_hostile(const struct hostile *hostile, const char *encoding)
{
    struct header_list headers;
    struct buf body;
    double seconds;

    buf_init(&body, HOSTILE_BYTES * 2);
    buf_add_str(&body, hostile->start);
    while (body.len < HOSTILE_BYTES)
        buf_add_str(&body, hostile->repeated);
    buf_add_str(&body, hostile->end);
    set_headers(&headers, hostile->type, encoding);
    seconds = seconds_of_rewrite(&headers, buf_slice(&body), 3);
    header_list_free(&headers);
    buf_free(&body);
    return seconds;
}

static void report_hostile(void)
{
    double worst = 0;

    for (size_t at = 0; at < sizeof hostiles / sizeof hostiles[0]; at++) {
        double plain = run_hostile(&hostiles[at], "8bit");
        double quoted = run_hostile(&hostiles[at], "quoted-printable");

        printf("hostile %-16s %.3f s, quoted-printable %.3f s\n", hostiles[at].name, plain, quoted);
        worst = plain > worst ? plain : worst;
        worst = quoted > worst ? quoted : worst;
    }
    printf("hostile worst %.3f s\n", worst);
}

static double seconds_of_gumbo(struct slice page)
{
    double start = now();

    gumbo_destroy_output(&kGumboDefaultOptions,
                         gumbo_parse_with_options(&kGumboDefaultOptions, page.p, page.len));
    return now() - start;
}

int main(void)
{
    double ours[ROUNDS], theirs[ROUNDS], our_rate, their_rate;
    struct buf page, quoted, decoded;
    struct header_list headers;
    struct qp_map map;

    make_page(&page);
    encode_qp(buf_slice(&page), &quoted);
    buf_init(&decoded, quoted.len);
    check_that(qp_decode(buf_slice(&quoted), &decoded, &map), "there is memory");
    qp_map_free(&map);
    report_hostile();
    report_kinds(buf_slice(&page), buf_slice(&quoted));
    set_headers(&headers, "text/html; charset=utf-8", "quoted-printable");
    for (int round = 0; round < ROUNDS; round++) {
        ours[round] = seconds_of_rewrite(&headers, buf_slice(&quoted), REPEATS);
        theirs[round] = seconds_of_gumbo(buf_slice(&decoded));
    }
    header_list_free(&headers);
    our_rate = (double)quoted.len / median(ours) / 1e6;
    their_rate = (double)decoded.len / median(theirs) / 1e6;
    printf("rewrite() %.0f MB/s, gumbo %.1f MB/s\n", our_rate, their_rate);
    printf("rewrite %.1f\n", our_rate / their_rate);
    buf_free(&page);
    buf_free(&quoted);
    buf_free(&decoded);
    return 0;
}
