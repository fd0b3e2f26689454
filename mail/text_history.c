/* SPDX-License-Identifier: BSD-2-Clause */
/* text_history - see text_history.h */

#include "mail/text_history.h"

enum { RULE_MIN = 32, ATTRIBUTION_LINES_MAX = 3 };

/* Outlook's "-----Original Message-----" in any language, or its rule of underscores. */
bool text_history_begins(struct slice line)
{
    size_t rule = 0;

    line = slice_trim(line);
    while (rule < line.len && line.p[rule] == '_')
        rule++;
    if (rule == line.len && rule >= RULE_MIN)
        return true;
    return line.len > 12 && memcmp(line.p, "-----", 5) == 0 && memcmp(line.p + line.len - 5, "-----", 5) == 0 &&
           line.p[5] != '-';
}

/* The lines without a blank one between them that were read last. */
struct paragraph {
    size_t at, lines, blank_lines /* behind it */;
    bool colon; /* its last line ends in one */
};

static void take_line(struct paragraph *paragraph, struct slice line, size_t at)
{
    struct slice words = slice_trim(line);

    if (!words.len) {
        paragraph->blank_lines++;
        return;
    }
    if (paragraph->blank_lines || !paragraph->lines)
        *paragraph = (struct paragraph){.at = at};
    paragraph->lines++;
    paragraph->colon = words.p[words.len - 1] == ':';
}

/* "On Monday Alice wrote:" right above what she wrote. */
static bool is_attribution(const struct paragraph *paragraph)
{
    return paragraph->colon && paragraph->lines <= ATTRIBUTION_LINES_MAX && paragraph->blank_lines <= 1;
}

static bool is_signature(struct slice line)
{
    if (line.len && line.p[line.len - 1] == '\r')
        line.len--;
    return slice_is(line, "-- ");
}

size_t text_history_place(struct slice text)
{
    struct paragraph paragraph = {.lines = 0};
    size_t first = text.len; /* where anything was written first */
    size_t at = 0;

    while (at < text.len) {
        size_t len = slice_find_char(slice_from(text, at), '\n');
        struct slice line = slice_of(text.p + at, len);
        bool quote = len && line.p[0] == '>';
        size_t place = quote && is_attribution(&paragraph) ? paragraph.at : at;

        if (quote || is_signature(line) || text_history_begins(line))
            return first < place ? place : text.len;
        take_line(&paragraph, line, at);
        if (first == text.len && slice_trim(line).len)
            first = at;
        at += len + 1;
    }
    return text.len;
}
