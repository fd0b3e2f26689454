/* SPDX-License-Identifier: BSD-2-Clause */
/* sql_script - see sql_script.h */

#include "ctl/sql_script.h"

static const char outside[] = "-- outside a transaction";
static const char compatible[] = "-- compatible from ";

static struct slice take_line(struct slice *rest)
{
    const char *end = rest->len ? memchr(rest->p, '\n', rest->len) : NULL;
    struct slice line = slice_of(rest->p, end ? (size_t)(end - rest->p) : rest->len);

    *rest = slice_from(*rest, line.len + 1);
    return slice_trim(line);
}

struct sql_marks sql_script_marks(struct slice script)
{
    struct sql_marks marks = {false, 0};

    while (!slice_empty(script)) {
        struct slice line = take_line(&script);

        if (!slice_starts_i(line, slice_str("--")))
            break;
        if (slice_is_i(line, outside))
            marks.outside_transaction = true;
        if (!slice_starts_i(line, slice_str(compatible)))
            continue;
        for (size_t at = sizeof compatible - 1; at < line.len && ascii_is_digit(line.p[at]); at++)
            marks.compatible_from = marks.compatible_from * 10 + (line.p[at] - '0');
    }
    return marks;
}

/* Behind the first END in S, or all of it. */
static size_t behind(struct slice s, size_t from, struct slice end)
{
    for (size_t at = from; at + end.len <= s.len; at++)
        if (memcmp(s.p + at, end.p, end.len) == 0)
            return at + end.len;
    return s.len;
}

/* The length of $tag$ at the front, 0 when there is none. */
static size_t dollar_tag(struct slice s)
{
    for (size_t at = 1; at < s.len; at++) {
        if (s.p[at] == '$')
            return at + 1;
        if (!ascii_is_alpha(s.p[at]) && s.p[at] != '_' && !(at > 1 && ascii_is_digit(s.p[at])))
            return 0;
    }
    return 0;
}

/* How much at the front belongs together: a quoted text, a comment, or one byte. A doubled quote is two texts in a row. */
static size_t piece(struct slice s)
{
    size_t tag;

    switch (s.p[0]) {
    case '\'':
    case '"':
        return behind(s, 1, slice_of(s.p, 1));
    case '-':
        return s.len > 1 && s.p[1] == '-' ? behind(s, 2, slice_str("\n")) : 1;
    case '/':
        return s.len > 1 && s.p[1] == '*' ? behind(s, 2, slice_str("*/")) : 1;
    case '$':
        tag = dollar_tag(s);
        return tag ? behind(s, tag, slice_of(s.p, tag)) : 1;
    default:
        return 1;
    }
}

static bool is_comment(struct slice s)
{
    return s.len > 1 && ((s.p[0] == '-' && s.p[1] == '-') || (s.p[0] == '/' && s.p[1] == '*'));
}

bool sql_script_next(struct slice *script, struct slice *statement)
{
    struct slice rest = *script;

    while (rest.len && (ascii_is_space(rest.p[0]) || is_comment(rest)))
        rest = slice_from(rest, piece(rest));
    *statement = slice_of(rest.p, 0);
    while (rest.len && rest.p[0] != ';')
        rest = slice_from(rest, piece(rest));
    statement->len = (size_t)(rest.p - statement->p);
    *script = slice_from(rest, 1);
    return !slice_empty(slice_trim(*statement)) || (!slice_empty(*script) && sql_script_next(script, statement));
}
