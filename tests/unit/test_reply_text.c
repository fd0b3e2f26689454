/* SPDX-License-Identifier: BSD-2-Clause */
/* what a person wrote, among what mail programs put below it */

#include "mail/new_text.h"
#include "mail/reply_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect_cut(const char *text, const char *expected)
{
    struct buf out;

    buf_init(&out, 10000);
    assert_true(new_text_cut(slice_str(text), &out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
}

static void history_is_cut_in_many_shapes(void **state)
{
    static const char *const below[] = {
        "On Mon, 30 Nov 2026 at 10:00, Alice <alice@example.com> wrote:\n> Dear Bob\n>\n> yes\n",
        "On Mon, 30 Nov 2026 at 10:00, Alice Somebody with a long name\n<alice@example.com> wrote:\n\n> Dear Bob\n",
        "Am 30.11.2026 um 10:00 schrieb Alice:\r\n> Lieber Bob\r\n",
        "Le lun. 30 nov. 2026 à 10:00, Alice <alice@example.com> a écrit :\n\n> Cher Bob\n",
        "El lun, 30 nov 2026 a las 10:00, Alice (<alice@example.com>) escribió:\n> Querido\n",
        "2026年11月30日(月) 10:00 Alice <alice@example.com>:\n\n> x\n",
        "Alice <alice@example.com> kirjoitti 30.11.2026 kello 10.00:\n> x\n",
        "-----Original Message-----\nFrom: Alice\nno quote marks here\n",
        "-----Ursprüngliche Nachricht-----\nVon: Alice\n",
        "---------- Forwarded message ---------\nFrom: Alice\n",
        "________________________________\nFrom: Alice <alice@example.com>\nSent: Monday\nTo: Bob\nSubject: Offer\n\nDear Bob\n",
        "From: Alice <alice@example.com>\nSent: Monday\nTo: Bob\nSubject: Offer\n\nDear Bob\n",
        "Von: Alice\nGesendet: Montag\nAn: Bob\nBetreff: Angebot\n\nLieber Bob\n",
        "*De :* Alice\n*Envoyé :* lundi\n*À :* Bob\n*Objet :* Offre\n\nCher Bob\n",
        "差出人: Alice\n送信日時: 2026\n宛先: Bob\n件名: x\n",
        "On Nov 30, 2026, at 10:00, Alice <alice@example.com> wrote:\n\nDear Bob, without marks\n",
        "> quoted without a word\n",
        "",
    };

    (void)state;
    for (size_t n = 0; n < sizeof below / sizeof *below; n++) {
        char text[2000];

        snprintf(text, sizeof text, "\n\nThank you,\nplease call me.  \n\n\n\nBob\n\n%s", below[n]);
        expect_cut(text, "Thank you,\nplease call me.\n\nBob");
    }
}

static void what_only_looks_like_history_stays(void **state)
{
    static const char *const texts[] = {
        "My reply has three points:\n1. price\n2. date",
        "She wrote: come at once",
        "From: here to there it is far",
        "To: you\nand me",
        "--\nBob\nExample Ltd",
        "We agreed on 12:30:\nthen lunch",
        "____\nshort line",
        "a -- b -- original message -- c",
    };

    (void)state;
    for (size_t n = 0; n < sizeof texts / sizeof *texts; n++)
        expect_cut(texts[n], texts[n]);
}

static void answers_between_the_lines_stay(void **state)
{
    (void)state;
    expect_cut("On 30 Nov 2026 10:00, alice@example.com wrote:\n> How many?\nTwo.\n> When?\nOn Monday:\n> bye\n",
               "Two.\n\nOn Monday:");
}

static void expect_text(const char *mail, const char *expected)
{
    struct header_list headers;
    struct buf out;

    header_list_init(&headers);
    buf_init(&out, REPLY_TEXT_MAX);
    assert_true(reply_text_read(&headers, slice_from(slice_str(mail), header_parse(slice_str(mail), &headers)), &out));
    assert_string_equal(buf_text(&out), expected);
    buf_free(&out);
    header_list_free(&headers);
}

static void the_text_is_found_and_decoded(void **state)
{
    (void)state;
    expect_text("Content-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\nGr=FC=DFe\n> alt\n",
                "Grüße");
    expect_text("Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\nSGVsbG8KPiBvbGQK\n", "Hello");
    expect_text("Content-Type: text/html\n\n<title>x</title><p>One &amp; two\nthree</p><div class=\"gmail_quote\">old <b>x</b></div><p>four",
                "One & two three\n\nfour");
    expect_text("Content-Type: text/html\n\nNew<div id=divRplyFwdMsg>From: x</div>old<p>old", "New");
    expect_text("Content-Type: multipart/alternative; boundary=b\n\n--b\nContent-Type: text/plain\n\n> only old\n--b\n"
                "Content-Type: text/html\n\n<p>new</p>\n--b--\n", "new");
    expect_text("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\nContent-Disposition: attachment;"
                " filename=a.txt\n\nnot this\n--b--\n", "");
    expect_text("Content-Type: image/png\n\nxx", "");
    expect_text("Content-Type: text/plain; charset=utf-8\n\nbad \xFF byte", "bad \xEF\xBF\xBD byte");
}

static void a_long_text_is_cut_between_characters(void **state)
{
    size_t len = 3 * 10000;
    char *mail = malloc(len + 100);
    struct header_list headers;
    struct buf out;
    size_t at;

    (void)state;
    at = (size_t)snprintf(mail, 100, "Content-Type: text/plain; charset=utf-8\n\n");
    for (size_t n = 0; n < len; n += 3)
        memcpy(mail + at + n, "\xE2\x82\xAC", 3);
    header_list_init(&headers);
    buf_init(&out, REPLY_TEXT_MAX);
    assert_true(reply_text_read(&headers, slice_from(slice_of(mail, at + len), header_parse(slice_of(mail, at + len), &headers)), &out));
    assert_int_equal(out.len, REPLY_TEXT_MAX / 3 * 3);
    buf_free(&out);
    header_list_free(&headers);
    free(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_is_cut_in_many_shapes),   cmocka_unit_test(what_only_looks_like_history_stays),
        cmocka_unit_test(answers_between_the_lines_stay),  cmocka_unit_test(the_text_is_found_and_decoded),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
    };

    return cmocka_run_group_tests_name("reply_text", tests, NULL, NULL);
}
