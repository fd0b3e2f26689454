/* SPDX-License-Identifier: BSD-2-Clause */
/* header - see header.h; here the list and the reading of a block */

#include "mail/header.h"

#include <stdlib.h>

enum { FIRST_FIELDS = 32 };

void header_list_init(struct header_list *list)
{
    *list = (struct header_list){0};
}

void header_list_free(struct header_list *list)
{
    for (size_t at = 0; at < list->count; at++) {
        free(list->field[at].name);
        free(list->field[at].value);
    }
    free(list->field);
    *list = (struct header_list){0};
}

static bool room_for_one(struct header_list *list)
{
    struct header_field *field;
    size_t size;

    if (list->count < list->size)
        return true;
    size = list->size ? list->size * 2 : FIRST_FIELDS;
    field = reallocarray(list->field, size, sizeof *field);
    if (!field)
        return false;
    list->field = field;
    list->size = size;
    return true;
}

/* Takes over both texts, also when it fails. */
static bool add_owned(struct header_list *list, char *name, char *value)
{
    size_t bytes;

    if (!name || !value)
        goto dropped;
    bytes = strlen(name) + strlen(value);
    if (list->count >= HEADER_FIELDS_MAX || bytes > HEADER_BYTES_MAX - list->bytes || !room_for_one(list))
        goto dropped;
    list->field[list->count++] = (struct header_field){name, value};
    list->bytes += bytes;
    return true;
dropped:
    free(name);
    free(value);
    list->failed = true;
    return false;
}

bool header_list_add(struct header_list *list, const char *name, const char *value)
{
    return add_owned(list, strdup(name), strdup(value));
}

/* Behind the line break that ends the line at AT. */
static size_t line_end(struct slice mail, size_t at)
{
    const char *newline = memchr(mail.p + at, '\n', mail.len - at);

    return newline ? (size_t)(newline - mail.p) + 1 : mail.len;
}

static size_t without_break(struct slice mail, size_t from, size_t end)
{
    if (end > from && mail.p[end - 1] == '\n') {
        end--;
        if (end > from && mail.p[end - 1] == '\r')
            end--;
    }
    return end;
}

/* The length of the field name at the start of a line, 0 when there is none; *COLON is where ':' stands. */
static size_t name_length(struct slice text, size_t *colon)
{
    size_t len = 0;

    while (len < text.len && text.p[len] > ' ' && text.p[len] < 0x7f && text.p[len] != ':')
        len++;
    *colon = len;
    while (*colon < text.len && (text.p[*colon] == ' ' || text.p[*colon] == '\t'))
        ++*colon;
    return *colon < text.len && text.p[*colon] == ':' ? len : 0;
}

bool header_next(struct slice mail, size_t *at, struct header_line *line)
{
    size_t start = *at, colon, len, end, value;

    line->clean = true;
    if (start >= mail.len)
        return false;
    end = line_end(mail, start);
    if (without_break(mail, start, end) == start) {
        *at = end;
        return false;
    }
    len = name_length(slice_of(mail.p + start, end - start), &colon);
    if (len == 0) {
        line->clean = false;
        return false;
    }
    while (end < mail.len && (mail.p[end] == ' ' || mail.p[end] == '\t'))
        end = line_end(mail, end);
    line->name = slice_of(mail.p + start, len);
    value = start + colon + 1;
    line->value = slice_of(mail.p + value, without_break(mail, value, end) - value);
    *at = end;
    return true;
}

/* A raw value in libmilter's form: one leading space gone, folds as "\n". */
static char *milter_form(struct slice raw)
{
    char *text = malloc(raw.len + 1);
    size_t len = 0;

    if (!text)
        return NULL;
    for (size_t at = raw.len && raw.p[0] == ' ' ? 1 : 0; at < raw.len; at++)
        if (raw.p[at] != '\r' || at + 1 == raw.len || raw.p[at + 1] != '\n')
            text[len++] = raw.p[at];
    text[len] = '\0';
    return text;
}

size_t header_parse(struct slice mail, struct header_list *list)
{
    struct header_line line;
    size_t at = 0;

    while (header_next(mail, &at, &line))
        add_owned(list, strndup(line.name.p, line.name.len), milter_form(line.value));
    return at;
}

const struct header_field *header_find(const struct header_list *list, const char *name, size_t nth)
{
    struct slice want = slice_str(name);

    for (size_t at = 0; at < list->count; at++)
        if (slice_eq_i(slice_str(list->field[at].name), want) && nth-- == 0)
            return &list->field[at];
    return NULL;
}

const char *header_value(const struct header_list *list, const char *name)
{
    const struct header_field *field = header_find(list, name, 0);

    return field ? field->value : NULL;
}

size_t header_count(const struct header_list *list, const char *name)
{
    struct slice want = slice_str(name);
    size_t count = 0;

    for (size_t at = 0; at < list->count; at++)
        count += slice_eq_i(slice_str(list->field[at].name), want);
    return count;
}

bool header_unfold(struct slice value, struct buf *out)
{
    if (!buf_reserve(out, value.len))
        return false;
    for (size_t at = 0; at < value.len; at++)
        if (value.p[at] != '\n' && (value.p[at] != '\r' || at + 1 == value.len || value.p[at + 1] != '\n'))
            buf_add_char(out, value.p[at]);
    return !out->failed;
}
