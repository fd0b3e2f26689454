/* SPDX-License-Identifier: BSD-2-Clause */
/* absence - see absence.h */

#include "mail/absence.h"
#include "mail/calendar_date.h"

#include <stdio.h>

enum { WORDS_BEFORE = 60, WORDS_AFTER = 40 /* bytes beside a date that are looked at */ };

/* Before a date, further words between: "back in the office on Monday, 1 December". */
static const char *const words_before[] = {
    "until", "till", "through", "thru", "return", "returning", "returns", "back",
    "bis", "wieder", "zurück", "retour", "jusqu'au", "jusqu’au", "jusqu'à", "jusqu’à", "reviens", "reviendrai",
    "hasta", "regreso", "regresaré", "vuelvo", "volveré", "vuelta",
    "fino al", "fino a", "sino al", "rientro", "rientrerò", "ritorno", "tornerò",
    "até", "regresso", "retorno", "volto", "voltarei",
    "t/m", "tot", "terug", "tillbaka", "åter", "tilbage", "tilbake", "til og med", "palaan", "takaisin",
    "wracam", "powrót", "zpět", "vrátím", "späť", "вернусь", "直到", "返回",
};

/* Right before it: too short or too common to be trusted further away. */
static const char *const words_right_before[] = {
    "til", "do", "do dnia", "до", "по", "至", "到",
};

static const char *const words_after[] = {
    "wieder", "zurück", "back", "terug", "tillbaka", "tilbage", "tilbake", "de retour",
    "asti", "saakka", "kadar", "まで", "까지",
};

/* Between the two dates of a range. */
static const char *const range_words[] = {
    "-", "–", "—", "to", "au", "al", "a", "e", "~", "〜",
};

#define LENGTH(array) (sizeof(array) / sizeof(array)[0])

static bool is_word_byte(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || (c & 0x80);
}

/* Scripts of East Asia put no blanks between words; their characters begin with these bytes in UTF-8. */
static bool has_blanks(const char *word)
{
    return (unsigned char)word[0] < 0xe3;
}

/* Does the word at AT of TEXT stand alone? */
static bool stands_alone(struct slice text, size_t at, size_t len)
{
    return (at == 0 || !is_word_byte(text.p[at - 1])) && (at + len == text.len || !is_word_byte(text.p[at + len]));
}

static bool holds_word(struct slice text, const char *const *words, size_t count)
{
    for (size_t n = 0; n < count; n++) {
        struct slice word = slice_str(words[n]);

        for (size_t at = 0; at + word.len <= text.len; at++)
            if (slice_starts_i(slice_from(text, at), word) &&
                (!has_blanks(words[n]) || stands_alone(text, at, word.len)))
                return true;
    }
    return false;
}

/* Takes one of WORDS off the end of TEXT. */
static bool ends_with_word(struct slice *text, const char *const *words, size_t count)
{
    struct slice whole = slice_trim(*text);

    for (size_t n = 0; n < count; n++) {
        struct slice word = slice_str(words[n]);
        size_t at = whole.len - word.len;

        if (word.len > whole.len || !slice_eq_i(slice_from(whole, at), word))
            continue;
        if (ascii_is_alpha(words[n][0]) && !stands_alone(whole, at, word.len))
            continue;
        *text = slice_of(whole.p, at);
        return true;
    }
    return false;
}

/* A new sentence or paragraph begins behind AT. The dot of an abbreviation or of a number ends none. */
static bool ends_sentence(struct slice text, size_t at)
{
    char c = text.p[at], next = at + 1 < text.len ? text.p[at + 1] : ' ';

    if (c == '.')
        return ascii_is_space(next) && at >= 3 && ascii_is_alpha(text.p[at - 1]) && ascii_is_alpha(text.p[at - 3]);
    return c == '!' || c == '?' || c == ';' || (c == '\n' && next == '\n');
}

/* What stands before the date at AT, in its sentence and behind the date before. */
static struct slice before(struct slice text, size_t at, size_t last_end)
{
    size_t start = at;

    while (start > last_end && at - start < WORDS_BEFORE && !ends_sentence(text, start - 1))
        start--;
    return slice_of(text.p + start, at - start);
}

static struct slice after(struct slice text, size_t at)
{
    struct slice rest = slice_from(text, at);
    size_t len = 0;

    while (len < rest.len && len < WORDS_AFTER && !strchr(".!?;", rest.p[len]) && !ends_sentence(rest, len) &&
           !ascii_is_digit(rest.p[len]))
        len++;
    return slice_of(rest.p, len);
}

/* "20.11. - 1.12.2026", "from 1 to 12 December": what is before the word is a number or a date. */
static bool ends_range(struct slice text, size_t at, size_t last_end)
{
    struct slice start = slice_of(text.p, at);

    if (!ends_with_word(&start, range_words, LENGTH(range_words)))
        return false;
    start = slice_trim(start);
    if (start.len && start.p[start.len - 1] == '.')
        start.len--;
    if (start.len && ascii_is_digit(start.p[start.len - 1]))
        return true;
    return last_end && start.len <= last_end && start.len + 1 >= last_end;
}

static bool says_until(struct slice text, size_t at, size_t end, size_t last_end)
{
    struct slice front = before(text, at, last_end);

    return holds_word(front, words_before, LENGTH(words_before)) ||
           ends_with_word(&front, words_right_before, LENGTH(words_right_before)) ||
           holds_word(after(text, end), words_after, LENGTH(words_after)) || ends_range(text, at, last_end);
}

static bool may_begin(struct slice text, size_t at)
{
    char c = text.p[at], last = at ? text.p[at - 1] : ' ';

    if (ascii_is_digit(c))
        return !ascii_is_digit(last) && last != '.' && last != ':' && last != '/';
    return is_word_byte(c) && !is_word_byte(last);
}

/* The first date that is said to be an end; else, when ALONE, the last full one. */
static bool find(struct slice text, const struct calendar_date *reference, bool alone, struct calendar_date *found)
{
    size_t last_end = 0;
    bool any = false;

    for (size_t at = 0; at < text.len; at++) {
        struct calendar_date date;
        size_t len = may_begin(text, at) ? calendar_date_read(slice_from(text, at), &date) : 0;
        bool full = len && !date.guessed;

        if (!len)
            continue;
        if (calendar_date_settle(&date, reference)) {
            if (says_until(text, at, at + len, last_end)) {
                *found = date;
                return true;
            }
            if (alone && full) {
                *found = date;
                any = true;
            }
        }
        last_end = at + len;
        at += len - 1;
    }
    return any;
}

/* Without the mail that is quoted below. */
static struct slice own_words(struct slice text)
{
    if (text.len > ABSENCE_TEXT_MAX)
        text.len = ABSENCE_TEXT_MAX;
    for (size_t at = 0; at < text.len; at++) {
        struct slice rest = slice_from(text, at);

        if ((at == 0 || text.p[at - 1] == '\n') && (rest.p[0] == '>' || slice_starts_i(rest, slice_str("-----"))))
            return slice_of(text.p, at);
    }
    return text;
}

/* "Fri, 20 Nov 2026 08:00:00 +0100" */
static bool read_reference(struct slice value, struct calendar_date *reference)
{
    for (size_t at = 0; at < value.len; at++)
        if (may_begin(value, at) && calendar_date_read(slice_from(value, at), reference) && !reference->guessed)
            return true;
    return false;
}

bool absence_until(const struct absence_mail *mail, char until[ABSENCE_DATE])
{
    struct calendar_date reference, found;
    bool has_reference = read_reference(mail->date, &reference);
    const struct calendar_date *known = has_reference ? &reference : NULL;
    struct slice subject = mail->subject;

    until[0] = '\0';
    if (subject.len > ABSENCE_TEXT_MAX)
        subject.len = ABSENCE_TEXT_MAX;
    if (!find(subject, known, true, &found) && !find(own_words(mail->text), known, false, &found))
        return false;
    snprintf(until, ABSENCE_DATE, "%04u-%02u-%02u", found.year % 10000, found.month % 100, found.day % 100);
    return true;
}
