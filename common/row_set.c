/* SPDX-License-Identifier: BSD-2-Clause */
/* row_set - see row_set.h */

#include "common/row_set.h"

#include "common/hex.h"
#include "common/utf8.h"

enum { COLUMN_MAX = 256 * 1024 * 1024 }; /* below the gigabyte that one parameter may have */

void row_set_init(struct row_set *set, size_t columns)
{
    *set = (struct row_set){.columns = columns};
    for (size_t at = 0; at < columns; at++)
        buf_init(&set->column[at], COLUMN_MAX);
}

void row_set_free(struct row_set *set)
{
    for (size_t at = 0; at < set->columns; at++)
        buf_free(&set->column[at]);
}

void row_set_reset(struct row_set *set)
{
    for (size_t at = 0; at < set->columns; at++)
        buf_reset(&set->column[at]);
    set->next = set->rows = 0;
}

static struct buf *next_value(struct row_set *set)
{
    struct buf *column = &set->column[set->next];

    buf_add_char(column, set->rows ? ',' : '{');
    if (++set->next == set->columns) {
        set->next = 0;
        set->rows++;
    }
    return column;
}

void row_set_integer(struct row_set *set, int64_t value)
{
    buf_add_f(next_value(set), "%lld", (long long)value);
}

static void add_quoted(struct buf *column, struct slice text)
{
    size_t plain = 0;

    buf_add_char(column, '"');
    for (size_t at = 0; at < text.len; at++) {
        if (text.p[at] != '"' && text.p[at] != '\\')
            continue;
        utf8_clean(slice_of(text.p + plain, at - plain), column);
        buf_add_char(column, '\\');
        buf_add_char(column, text.p[at]);
        plain = at + 1;
    }
    utf8_clean(slice_from(text, plain), column);
    buf_add_char(column, '"');
}

void row_set_text(struct row_set *set, struct slice text)
{
    add_quoted(next_value(set), text);
}

void row_set_text_or_null(struct row_set *set, struct slice text)
{
    if (slice_empty(text))
        buf_add_str(next_value(set), "NULL");
    else
        row_set_text(set, text);
}

void row_set_hex(struct row_set *set, const uint8_t *bytes, size_t count)
{
    struct buf *column = next_value(set);

    buf_add_char(column, '"');
    hex_add(column, bytes, count);
    buf_add_char(column, '"');
}

void row_set_address(struct row_set *set, const uint8_t *address, size_t bytes)
{
    struct buf text;

    buf_init(&text, 64);
    if (bytes == 4)
        buf_add_f(&text, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
    for (size_t at = 0; bytes == 16 && at < 16; at += 2)
        buf_add_f(&text, "%s%02x%02x", at ? ":" : "", address[at], address[at + 1]);
    row_set_text_or_null(set, buf_slice(&text));
    buf_free(&text);
}

bool row_set_values(struct row_set *set, const char *values[])
{
    if (set->next)
        return false;
    for (size_t at = 0; at < set->columns; at++) {
        if (set->rows == 0)
            buf_add_char(&set->column[at], '{');
        buf_add_char(&set->column[at], '}');
        if (set->column[at].failed)
            return false;
        values[at] = buf_text(&set->column[at]);
    }
    return true;
}
