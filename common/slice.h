/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slice - a run of bytes that somebody else owns.
 *
 * Not NUL-terminated and may hold NUL bytes. A slice is valid as long as the bytes behind it; no
 * function here allocates. Case folding is ASCII only, as RFC 5321, 5322 and 2045 want it.
 */
#ifndef COMMON_SLICE_H
#define COMMON_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
    const char *p;
    size_t len;
};

/* for printf("%.*s") */
#define SLICE_ARG(s) (int)(s).len, (s).p

static inline struct slice slice_of(const char *p, size_t len)
{
    return (struct slice){p, len};
}

/* Initialises a slice with a constant text, where its length should not be counted each time. */
#define SLICE_TEXT(constant) {constant, sizeof constant - 1}

/* NULL gives the empty slice. */
static inline struct slice slice_str(const char *text)
{
    return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool slice_empty(struct slice s)
{
    return s.len == 0;
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    c = ascii_lower(c);
    return c >= 'a' && c <= 'z';
}

/* The value of a hexadecimal digit, -1 for another character. */
static inline int ascii_hex_value(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline bool slice_starts_i(struct slice s, struct slice start)
{
    if (s.len < start.len)
        return false;
    for (size_t at = 0; at < start.len; at++)
        if (ascii_lower(s.p[at]) != ascii_lower(start.p[at]))
            return false;
    return true;
}

static inline bool slice_eq_i(struct slice a, struct slice b)
{
    return a.len == b.len && slice_starts_i(a, b);
}

static inline bool slice_is(struct slice s, const char *text)
{
    return slice_eq(s, slice_str(text));
}

static inline bool slice_is_i(struct slice s, const char *text)
{
    return slice_eq_i(s, slice_str(text));
}

static inline struct slice slice_from(struct slice s, size_t start)
{
    return start >= s.len ? (struct slice){s.len ? s.p + s.len : s.p, 0} : (struct slice){s.p + start, s.len - start};
}

static inline struct slice slice_trim(struct slice s)
{
    while (s.len && ascii_is_space(s.p[0]))
        s.p++, s.len--;
    while (s.len && ascii_is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

/* Where CHARACTER first stands in S, or S.len. */
static inline size_t slice_find_char(struct slice s, char character)
{
    const char *at = s.len ? (const char *)memchr(s.p, character, s.len) : NULL;

    return at ? (size_t)(at - s.p) : s.len;
}

/* What stands before END, or all of REST, which goes on behind that. */
static inline struct slice slice_cut(struct slice *rest, char end)
{
    struct slice part = slice_of(rest->p, slice_find_char(*rest, end));

    *rest = slice_from(*rest, part.len + (part.len < rest->len));
    return part;
}

/* The columns of a line, parted by tabs. False unless there are exactly so many. */
static inline bool slice_columns(struct slice line, struct slice *column, size_t columns)
{
    for (size_t n = 0; n + 1 < columns; n++) {
        if (slice_find_char(line, '\t') == line.len)
            return false;
        column[n] = slice_cut(&line, '\t');
    }
    column[columns - 1] = line;
    return slice_find_char(line, '\t') == line.len;
}

/* Where TEXT first stands in S without regard to case, or SIZE_MAX. For short texts. */
static inline size_t slice_find_i(struct slice s, const char *text)
{
    struct slice want = slice_str(text);

    for (size_t at = 0; at + want.len <= s.len; at++)
        if (slice_starts_i((struct slice){s.p + at, want.len}, want))
            return at;
    return (size_t)-1;
}

#endif
