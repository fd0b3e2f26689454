/* SPDX-License-Identifier: BSD-2-Clause */
/* calendar_date - see calendar_date.h */

#include "mail/calendar_date.h"

enum {
    WORD_MAX = 24,
    FAR_DAYS = 300, /* a date without its year lies in this time after the reference */
};

/* Names and short forms in lower case, a blank around each; the genitive where a language puts it after the day. */
static const char *const month_names[12] = {
    " january jan januar jänner janvier janv enero ene gennaio gen janeiro januari tammikuuta stycznia ledna januára "
    "января январь ocak ",
    " february feb februar febr février févr fevrier febrero febbraio fevereiro fev februari helmikuuta lutego února "
    "februára февраля şubat ",
    " march mar märz mrz maerz mars marzo março maart mrt marts maaliskuuta marca března марта mart ",
    " april apr avril avr abril abr aprile huhtikuuta kwietnia dubna apríla апреля nisan ",
    " may mai mayo maggio mag maio mei maj toukokuuta maja května mája мая mayıs ",
    " june jun juni juin junio giugno giu junho kesäkuuta czerwca června júna июня haziran ",
    " july jul juli juillet juil julio luglio lug julho heinäkuuta lipca července júla июля temmuz ",
    " august aug août aout agosto ago augustus augusti elokuuta sierpnia srpna augusta августа ağustos ",
    " september sep sept septembre septiembre settembre set setembro syyskuuta września září septembra сентября "
    "eylül ",
    " october oct oktober okt octobre octubre ottobre ott outubro out lokakuuta października października října "
    "októbra октября ekim ",
    " november nov novembre noviembre novembro marraskuuta listopada listopadu novembra ноября kasım ",
    " december dec dezember dez décembre déc decembre diciembre dic dicembre dezembro desember des joulukuuta grudnia "
    "prosince decembra декабря aralık ",
};

static bool is_word_byte(char c)
{
    return ascii_is_alpha(c) || (c & 0x80);
}

/* Takes LEAST to MOST digits off TEXT, and all there are. */
static bool take_number(struct slice *text, size_t least, size_t most, unsigned *number)
{
    size_t len = 0;

    *number = 0;
    while (len < text->len && len < most && ascii_is_digit(text->p[len]))
        *number = *number * 10 + (unsigned)(text->p[len++] - '0');
    if (len < least || (len < text->len && ascii_is_digit(text->p[len])))
        return false;
    *text = slice_from(*text, len);
    return true;
}

static bool take(struct slice *text, const char *start)
{
    struct slice wanted = slice_str(start);

    if (!slice_starts_i(*text, wanted))
        return false;
    *text = slice_from(*text, wanted.len);
    return true;
}

static void take_blanks(struct slice *text)
{
    while (take(text, " ") || take(text, "\t") || take(text, "\r\n") || take(text, "\n") || take(text, "\u00a0"))
        ;
}

/* A word as a whole. */
static bool take_word(struct slice *text, const char *word)
{
    struct slice rest = *text;

    if (!take(&rest, word) || (rest.len && is_word_byte(rest.p[0])))
        return false;
    *text = rest;
    return true;
}

static bool take_month(struct slice *text, unsigned *month)
{
    char word[WORD_MAX + 3] = " ";
    size_t len = 0;

    while (len < text->len && len < WORD_MAX && is_word_byte(text->p[len])) {
        word[len + 1] = ascii_lower(text->p[len]);
        len++;
    }
    if (len < 3 || (len < text->len && is_word_byte(text->p[len])))
        return false;
    memcpy(word + len + 1, " ", 2);
    for (unsigned n = 0; n < 12; n++)
        if (strstr(month_names[n], word)) {
            *month = n + 1;
            *text = slice_from(*text, len);
            return true;
        }
    return false;
}

static bool is_date(const struct calendar_date *date)
{
    static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = date->year % 4 == 0 && (date->year % 100 != 0 || date->year % 400 == 0);

    if (date->month < 1 || date->month > 12 || date->day < 1 || date->day > days[date->month - 1])
        return false;
    if (date->year && (date->year < 2000 || date->year > 2999))
        return false;
    return date->day < 29 || date->month != 2 || leap || !date->year;
}

/* 2026-12-01, 2026/12/01, 2026.12.01 */
static bool year_first(struct slice *text, struct calendar_date *date)
{
    char separator[2] = "";

    if (!take_number(text, 4, 4, &date->year) || !text->len || !strchr("-/.", text->p[0]))
        return false;
    separator[0] = text->p[0];
    return take(text, separator) && take_number(text, 1, 2, &date->month) && take(text, separator) &&
           take_number(text, 1, 2, &date->day);
}

/* 2026年12月1日, 12月1日; Korean alike */
static bool east_asian(struct slice *text, struct calendar_date *date)
{
    struct slice rest = *text;

    date->guessed = !(take_number(&rest, 4, 4, &date->year) && (take(&rest, "年") || take(&rest, "년")));
    if (date->guessed) {
        date->year = 0;
        rest = *text;
    }
    take_blanks(&rest);
    if (!take_number(&rest, 1, 2, &date->month) || !(take(&rest, "月") || take(&rest, "월")))
        return false;
    take_blanks(&rest);
    *text = rest;
    return take_number(text, 1, 2, &date->day) && (take(text, "日") || take(text, "일") || take(text, "号"));
}

/* The year behind day and month: four digits, or two, or none. */
static void short_year(struct slice *text, struct calendar_date *date)
{
    struct slice rest = *text;

    take_blanks(&rest);
    if (take_number(&rest, 4, 4, &date->year)) {
        *text = rest;
        return;
    }
    date->guessed = true;
    rest = *text;
    if (take_number(&rest, 2, 2, &date->year)) {
        date->year += 2000;
        *text = rest;
    } else {
        date->year = 0;
    }
}

/* 1.12.2026, 1. 12. 2026, 1.12.26, 1.12. */
static bool dotted(struct slice *text, struct calendar_date *date)
{
    if (!take_number(text, 1, 2, &date->day) || !take(text, "."))
        return false;
    take_blanks(text);
    if (!take_number(text, 1, 2, &date->month) || !take(text, "."))
        return false;
    short_year(text, date);
    return date->year || !text->len || !ascii_is_digit(text->p[0]);
}

/* 25/12/2026 or 12/25/2026: only where one of the two can be no month, or both are the same. */
static bool slashed(struct slice *text, struct calendar_date *date)
{
    unsigned first, second;
    char separator[2] = "";

    if (!take_number(text, 1, 2, &first) || !text->len || !strchr("/-", text->p[0]))
        return false;
    separator[0] = text->p[0];
    if (!take(text, separator) || !take_number(text, 1, 2, &second) || !take(text, separator) ||
        !take_number(text, 4, 4, &date->year))
        return false;
    if (first <= 12 && second <= 12 && first != second)
        return false;
    date->day = first > 12 ? first : second;
    date->month = first > 12 ? second : first;
    return true;
}

static void take_ordinal(struct slice *text)
{
    static const char *const endings[] = {"st", "nd", "rd", "th", "er", "re", "ème", "º", "°", "ª", ":e", ":a", "e"};

    for (size_t n = 0; n < sizeof endings / sizeof endings[0]; n++)
        if (take_word(text, endings[n]))
            return;
}

static void take_between(struct slice *text)
{
    take_blanks(text);
    while (take(text, ".") || take(text, ",") || take(text, "-"))
        take_blanks(text);
    if (take_word(text, "of") || take_word(text, "de") || take_word(text, "del") || take_word(text, "d'"))
        take_blanks(text);
}

/* The year behind a month's or a day's name; a time of day is none. */
static void named_year(struct slice *text, struct calendar_date *date)
{
    struct slice rest = *text;

    take_between(&rest);
    if (take_number(&rest, 4, 4, &date->year) && date->year >= 2000 && date->year <= 2999 &&
        !(rest.len && rest.p[0] == ':')) {
        *text = rest;
        return;
    }
    date->year = 0;
    date->guessed = true;
}

/* 1 December 2026, 1. Dezember 2026, 1er décembre, 1 de diciembre de 2026, 1-Dec-2026 */
static bool day_first(struct slice *text, struct calendar_date *date)
{
    if (!take_number(text, 1, 2, &date->day))
        return false;
    take_ordinal(text);
    take_between(text);
    if (!take_month(text, &date->month))
        return false;
    named_year(text, date);
    return true;
}

/* December 1, 2026; Dec. 1st */
static bool month_first(struct slice *text, struct calendar_date *date)
{
    if (!take_month(text, &date->month))
        return false;
    take(text, ".");
    take_blanks(text);
    if (!take_number(text, 1, 2, &date->day))
        return false;
    take_ordinal(text);
    named_year(text, date);
    return true;
}

size_t calendar_date_read(struct slice text, struct calendar_date *date)
{
    static bool (*const forms[])(struct slice *text, struct calendar_date *date) = {
        year_first, east_asian, dotted, slashed, day_first, month_first,
    };

    for (size_t n = 0; n < sizeof forms / sizeof forms[0]; n++) {
        struct slice rest = text;

        *date = (struct calendar_date){.guessed = false};
        if (forms[n](&rest, date) && is_date(date) && !(rest.len && ascii_is_digit(rest.p[0])))
            return text.len - rest.len;
    }
    return 0;
}

/* Grows by one or more a day; only for differences. */
static int day_number(const struct calendar_date *date)
{
    return (int)(date->year * 372 + date->month * 31 + date->day);
}

bool calendar_date_settle(struct calendar_date *date, const struct calendar_date *reference)
{
    int distance;

    if (!date->guessed)
        return true;
    if (!reference)
        return false;
    if (!date->year) {
        date->year = reference->year;
        if (day_number(date) < day_number(reference))
            date->year++;
    }
    distance = day_number(date) - day_number(reference);
    return is_date(date) && distance >= 0 && distance <= FAR_DAYS;
}
