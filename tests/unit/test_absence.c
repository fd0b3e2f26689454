/* SPDX-License-Identifier: BSD-2-Clause */
/* dates of out-of-office mails, and what only looks like one */

#include "mail/absence.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct example {
    const char *text, *until;
};

static void expect(const struct absence_mail *mail, const struct example *example)
{
    char until[ABSENCE_DATE];
    bool found = absence_until(mail, until);

    if (found != (example->until[0] != '\0') || strcmp(until, example->until) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", example->text, until, example->until);
}

static void a_subject_names_it_with_or_without_a_word(void **state)
{
    static const struct example examples[] = {
        {"AUTO: Bob is out of the office (returning 30.11.2026)", "2026-11-30"},
        {"Away 2026-11-20 to 2026-12-01", "2026-12-01"},
        {"Away 2026-11-20, 2026-12-01", "2026-12-01"},
        {"bis 1.2.2027", "2027-02-01"},
        {"bis 30.11.2026.", "2026-11-30"},
        {"until 11/12/2026", ""},
        {"until 25/12/2026", "2026-12-25"},
        {"until 12/25/2026", "2026-12-25"},
        {"until 12/12/2026", "2026-12-12"},
        {"until 25-12-2026", "2026-12-25"},
        {"version 1.30.11.2026", ""},
        {"2026-13-01, 32.1.2026, 1.1.20261, 1.1.26", ""},
        {"until 30 February 2027, 31.4.2027", ""},
        {"until 29.2.2027", ""},
        {"until 29.2.2028", "2028-02-29"},
        {"", ""},
        {"30.11.", ""},
        {"bis 30.11.", ""}, /* no Date that would tell the year */
        {"until 1 December", ""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof examples / sizeof examples[0]; n++) {
        struct absence_mail mail = {.subject = slice_str(examples[n].text)};
        expect(&mail, &examples[n]);
    }
}

static void a_text_says_it_in_many_languages(void **state)
{
    static const struct example examples[] = {
        {"I am out of the office until 1 December 2026.", "2026-12-01"},
        {"I will be back in the office on Tuesday, December 1st, 2026.", "2026-12-01"},
        {"I am on leave from 20 November 2026 through Dec. 1, 2026", "2026-12-01"},
        {"I return on the 1st of December 2026", "2026-12-01"},
        {"On 1 December 2026 I will be back.", "2026-12-01"},
        {"Out of office 2026-11-20 - 2026-12-01", "2026-12-01"},
        {"from 1 to 12 December 2026", "2026-12-12"},
        {"Ich bin bis einschließlich 1. Dezember 2026 nicht im Büro.", "2026-12-01"},
        {"Ich bin vom 20.11. bis zum 01.12.2026 abwesend.", "2026-12-01"},
        {"Ab dem 1.12.2026 bin ich wieder erreichbar.", "2026-12-01"},
        {"Ich bin am 1. März 2027 zurück", "2027-03-01"},
        {"wieder da ab 1.12.2026", "2026-12-01"},
        {"Je suis absent jusqu'au mardi 1er décembre 2026 inclus.", "2026-12-01"},
        {"Je suis absent jusqu’au 12 août 2027.", "2027-08-12"},
        {"de retour le 5 janvier 2027", "2027-01-05"},
        {"Estaré fuera hasta el 1 de diciembre de 2026.", "2026-12-01"},
        {"Sono assente fino al 1 dicembre 2026", "2026-12-01"},
        {"Sarò in ufficio dal rientro, 1º gennaio 2027", "2027-01-01"},
        {"Estou ausente até 1 de dezembro de 2026", "2026-12-01"},
        {"Ik ben afwezig t/m 1 december 2026", "2026-12-01"},
        {"Ik ben afwezig tot en met 1 mrt 2027", "2027-03-01"},
        {"Jag är ledig till och med den 1 december 2026", "2026-12-01"},
        {"Jeg er på ferie til 1. desember 2026", "2026-12-01"},
        {"Jeg er tilbage den 1. december 2026", "2026-12-01"},
        {"Olen lomalla 1.12.2026 asti", "2026-12-01"},
        {"Jestem nieobecny do 1 grudnia 2026", "2026-12-01"},
        {"Jsem mimo kancelář do 1. prosince 2026", "2026-12-01"},
        {"Меня нет в офисе до 1 декабря 2026 г.", "2026-12-01"},
        {"2026年12月1日まで休暇です", "2026-12-01"},
        {"我将于2026年11月20日至2026年12月1日休假", "2026-12-01"},
        {"1 Aralık 2026 tarihine kadar ofis dışındayım", "2026-12-01"},
        {"Thank you for your mail of 20 November 2026.", ""}, /* nobody says until */
        {"I am away. On 1 December 2026 we move.", ""},
        {"What can we do? 1 December 2026 is a Tuesday", ""},
        {"I am away.\n> Our offer stands until 1 December 2026.", ""},
        {"I am away.\n-----Original Message-----\nuntil 1 December 2026", ""},
        {"until 1 Dezemberling 2026", ""},
        {"Ibis 1.12.2026", ""},
        {"until 99999999999 December 2026", ""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof examples / sizeof examples[0]; n++) {
        struct absence_mail mail = {.text = slice_str(examples[n].text)};
        expect(&mail, &examples[n]);
    }
}

static void a_missing_year_follows_the_mail(void **state)
{
    static const struct example examples[] = {
        {"until 1 December", "2026-12-01"},
        {"until Dec 1st", "2026-12-01"},
        {"bis 1.12.", "2026-12-01"},
        {"bis 1.12.26", "2026-12-01"},
        {"vom 20.11. - 1.12.", "2026-12-01"},
        {"until 5 January at 9:00", "2027-01-05"},
        {"until 20 November", "2026-11-20"},
        {"until 19 November", ""}, /* a year from now nobody is away that long */
        {"bis 1.12.25", ""},
        {"12月1日まで", "2026-12-01"},
        {"5 January", ""},
    };

    (void)state;
    for (size_t n = 0; n < sizeof examples / sizeof examples[0]; n++) {
        struct absence_mail mail = {.text = slice_str(examples[n].text),
                                    .date = slice_str("Fri, 20 Nov 2026 08:00:00 +0100 (CET)")};
        expect(&mail, &examples[n]);
    }
}

static void the_subject_comes_before_the_text(void **state)
{
    static const struct example example = {"both", "2026-12-01"};
    struct absence_mail mail = {.subject = slice_str("Away until 2026-12-01"),
                                .text = slice_str("until 2026-12-05")};

    (void)state;
    expect(&mail, &example);
    mail.subject = slice_str("Away");
    mail.text = slice_str("Away until 2026-12-01. I am back on 2026-12-02.");
    expect(&mail, &example);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_subject_names_it_with_or_without_a_word),
        cmocka_unit_test(a_text_says_it_in_many_languages),
        cmocka_unit_test(a_missing_year_follows_the_mail),
        cmocka_unit_test(the_subject_comes_before_the_text),
    };

    return cmocka_run_group_tests_name("absence", tests, NULL, NULL);
}
