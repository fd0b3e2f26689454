/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rewrite - how fast mails are rewritten, beside Gumbo parsing the same decoded HTML.
 *
 * The last line is "rewrite RATIO": MB/s of rewrite() on quoted-printable HTML of 80 KB with 20 links,
 * divided by Gumbo's on what it decodes to. Both take turns in one run; medians count. Above it: other kinds
 * of mail in MB/s, hostile ones of 5 MB in seconds, and the memory that a mail of 40 MB takes.
 */

#include "mail/base64.h"
#include "mail/qp.h"
#include "tests/support/rewrite_check.h"

#include <gumbo.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    PAGE_BYTES = 80 * 1024,
    LINKS = 20,
    ROUNDS = 15,
    REPEATS = 40,
    HOSTILE_BYTES = 5 * 1024 * 1024,
    LARGE_BYTES = 40 * 1024 * 1024,
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

    settings.text_links = true;
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
    {"ampersand text", "", "&", "", "text/html"},
    {"dash text", "", "-", "", "text/html"},
    {"blanks", "<a href=", " ", "", "text/html"},
    {"distinct links", "<a href=http://a.example/x>", "<a href=\"http://a.example/?\n", "", "text/html"},
    {"open everything", "<table><a href='x'><b>", "<p><b><i><table><td><a href='http://a.example/y'>", "",
     "text/html"},
    {"base href", "", "<base href=http://a.example/>", "", "text/html"},
    {"notrack", "", "<a href=https+notrack://a.example/x>", "", "text/html"},
    {"shift out", "", "\x1b$B<a href=x>\x1b(B", "", "text/html; charset=iso-2022-jp"},
    {"utf-16", "", "<\n", "", "text/html; charset=utf-16"},
    {"text URLs", "", "http://a.example/x ", "", "text/plain"},
    {"text schemes", "", "http://", "", "text/plain"},
    {"text brackets", "http://a.example/", "))))", "", "text/plain"},
    {"text old links", "", CHECK_TRACKING_URL "/c/x/http%3A%2F%2Fa.example ", "", "text/plain"},
    {"text old pixels", "", "[" CHECK_TRACKING_URL "/o/x.gif]", "", "text/plain"},
    {"text rules", "", "-----x-----\n", "", "text/plain"},
    {"many parts", "", "--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n", "", "multipart/mixed; boundary=b"},
    {"part headers", "--b\r\n", "X-Some-Field: value\r\n", "\r\n", "multipart/mixed; boundary=b"},
    {"type parameters", "--b\r\nContent-Type: text/html", "; a=b", "\r\n\r\nx", "multipart/mixed; boundary=b"},
    {"equals signs", "", "=", "", "text/html"},
    {"soft breaks", "", "=\r\n", "", "text/html"},
};

/* All of it repeated up to the size, in the encoding. */
static void make_hostile(const struct hostile *hostile, const char *encoding, struct buf *body)
{
    struct buf plain;

    buf_init(&plain, HOSTILE_BYTES * 2);
    buf_init(body, HOSTILE_BYTES * 4);
    buf_add_str(&plain, hostile->start);
    while (plain.len < HOSTILE_BYTES)
        buf_add_str(&plain, hostile->repeated);
    buf_add_str(&plain, hostile->end);
    if (strcmp(encoding, "base64") == 0)
        base64_encode(buf_slice(&plain), (struct base64_shape){76, true, true}, body);
    else
        buf_add_slice(body, buf_slice(&plain));
    buf_free(&plain);
}

static double run_hostile(const struct hostile *hostile, const char *encoding)
{
    struct header_list headers;
    struct buf body;
    double seconds;

    make_hostile(hostile, encoding, &body);
    set_headers(&headers, hostile->type, encoding);
    seconds = seconds_of_rewrite(&headers, buf_slice(&body), 3);
    header_list_free(&headers);
    buf_free(&body);
    return seconds;
}

/* NUL bytes cannot stand in the table. */
static double run_nuls(const char *encoding)
{
    struct header_list headers;
    double seconds;
    char *body = calloc(HOSTILE_BYTES, 1);

    check_that(body != NULL, "there is memory");
    set_headers(&headers, "text/html", encoding);
    seconds = seconds_of_rewrite(&headers, slice_of(body, HOSTILE_BYTES), 3);
    header_list_free(&headers);
    free(body);
    return seconds;
}

static void report_hostile(void)
{
    static const char *const encodings[] = {"8bit", "quoted-printable", "base64"};
    double worst = 0;

    for (size_t at = 0; at <= sizeof hostiles / sizeof hostiles[0]; at++) {
        bool nuls = at == sizeof hostiles / sizeof hostiles[0];

        fflush(stdout);
        printf("hostile %-16s", nuls ? "nuls" : hostiles[at].name);
        for (size_t n = 0; n < sizeof encodings / sizeof encodings[0]; n++) {
            double seconds = nuls ? run_nuls(encodings[n]) : run_hostile(&hostiles[at], encodings[n]);

            printf(" %s %.3f s", encodings[n], seconds);
            worst = seconds > worst ? seconds : worst;
        }
        printf("\n");
    }
    printf("hostile worst %.3f s\n", worst);
}

/* Twice the size should take twice the time. */
static void report_growth(struct slice page)
{
    struct header_list headers;
    struct buf body;
    double half, whole;

    buf_init(&body, 20 * HOSTILE_BYTES);
    while (body.len < HOSTILE_BYTES)
        buf_add_slice(&body, page);
    set_headers(&headers, "text/html; charset=utf-8", "8bit");
    half = seconds_of_rewrite(&headers, slice_of(body.data, body.len / 2), 5);
    whole = seconds_of_rewrite(&headers, buf_slice(&body), 5);
    printf("time for twice the size %.2f times\n", whole / half);
    header_list_free(&headers);
    buf_free(&body);
}

static double resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long pages = 0;

    check_that(file && fscanf(file, "%*u %lu", &pages) == 1, "the system tells how much memory is used");
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Rewrites one large mail in a process of its own: what its peak is above now, and the mail, over the mail's size. */
static double memory_of(const char *type, const char *encoding, struct slice body)
{
    struct header_list headers;
    struct rusage usage = {.ru_maxrss = 0};
    double before = resident_bytes();
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        set_headers(&headers, type, encoding);
        rewrite_once(&headers, body);
        _exit(0);
    }
    check_that(child > 0 && wait4(child, &status, 0, &usage) == child && status == 0, "the large mail is rewritten");
    return ((double)usage.ru_maxrss * 1024 - before) / (double)body.len + 1;
}

static void fill(struct buf *body, struct slice piece)
{
    buf_init(body, LARGE_BYTES * 2);
    check_that(buf_reserve(body, LARGE_BYTES + piece.len), "there is memory");
    while (body->len < LARGE_BYTES)
        buf_add_slice(body, piece);
}

static void report_memory_of(const char *name, const char *type, const char *encoding, struct slice piece)
{
    struct buf body;

    fill(&body, piece);
    printf("memory %-16s %.2f times a 40 MB mail\n", name, memory_of(type, encoding, buf_slice(&body)));
    buf_free(&body);
}

static void report_memory(struct slice page, struct slice quoted)
{
    struct buf encoded;

    buf_init(&encoded, PAGE_BYTES * 4);
    base64_encode(slice_of(page.p, page.len - page.len % 57), (struct base64_shape){76, true, true}, &encoded);
    report_memory_of("8bit", "text/html; charset=utf-8", "8bit", page);
    report_memory_of("quoted-printable", "text/html; charset=utf-8", "quoted-printable", quoted);
    report_memory_of("base64", "text/html; charset=utf-8", "base64", buf_slice(&encoded));
    report_memory_of("attachment", "application/pdf", "base64", buf_slice(&encoded));
    report_memory_of("soft breaks", "text/html", "quoted-printable", slice_str("=\r\n"));
    buf_free(&encoded);
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
    report_growth(buf_slice(&page));
    report_memory(buf_slice(&page), buf_slice(&quoted));
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
