/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * row_set - rows gathered column by column, to be sent as one array a column and taken apart by unnest().
 *
 * Pure. Add a row's values in the order of its columns; the row is complete with the last. Texts are cleaned (utf8.h).
 */
#ifndef COMMON_ROW_SET_H
#define COMMON_ROW_SET_H

#include "common/buf.h"

#include <stdint.h>

enum { ROW_COLUMNS_MAX = 24 };

struct row_set {
    struct buf column[ROW_COLUMNS_MAX]; /* array literals that lack the closing brace */
    size_t columns;
    size_t next; /* column that the next value belongs to */
    size_t rows; /* complete ones */
};

void row_set_init(struct row_set *set, size_t columns);
void row_set_free(struct row_set *set);
void row_set_reset(struct row_set *set);

void row_set_integer(struct row_set *set, int64_t value);
void row_set_text(struct row_set *set, struct slice text);
void row_set_text_or_null(struct row_set *set, struct slice text); /* an empty text is null */
void row_set_hex(struct row_set *set, const uint8_t *bytes, size_t count); /* as text */

void row_set_address(struct row_set *set, const uint8_t *address, size_t bytes); /* 4 or 16, as text; else null */

/* Closes the arrays and points VALUES at them; false without memory, when a row is not complete or a column too big. */
bool row_set_values(struct row_set *set, const char *values[]);

#endif
