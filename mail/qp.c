/* SPDX-License-Identifier: BSD-2-Clause */
/* qp - see qp.h */

#include "mail/qp.h"

#include <stdlib.h>

/* One raw line in its pieces. */
struct line {
    size_t text; /* end of what is decoded, a soft "=" and trailing white space left out */
    size_t end;  /* where the line break begins; what lies between is dropped */
    size_t next; /* behind the line break */
    bool soft;
};

static struct line line_at(struct slice raw, size_t at)
{
    const char *newline = memchr(raw.p + at, '\n', raw.len - at);
    struct line line;

    line.next = newline ? (size_t)(newline - raw.p) + 1 : raw.len;
    line.end = newline ? line.next - 1 : line.next;
    if (newline && line.end > at && raw.p[line.end - 1] == '\r')
        line.end--;
    line.text = line.end;
    while (line.text > at && (raw.p[line.text - 1] == ' ' || raw.p[line.text - 1] == '\t'))
        line.text--;
    line.soft = line.text > at && raw.p[line.text - 1] == '=';
    if (line.soft)
        line.text--;
    else if (!newline)
        line.text = line.end; /* white space at the very end may be meant */
    return line;
}

/* The bytes of raw text that stand for one decoded byte at AT, before END. */
static size_t unit(struct slice raw, size_t at, size_t end, char *byte)
{
    int high, low;

    *byte = raw.p[at];
    if (*byte != '=' || at + 2 >= end)
        return 1;
    high = ascii_hex_value(raw.p[at + 1]);
    low = ascii_hex_value(raw.p[at + 2]);
    if (high < 0 || low < 0)
        return 1;
    *byte = (char)(high * 16 + low);
    return 3;
}

static char *decode_text(struct slice raw, size_t at, size_t end, char *to)
{
    while (at < end) {
        const char *equals = memchr(raw.p + at, '=', end - at);
        size_t plain = equals ? (size_t)(equals - raw.p) - at : end - at;

        memcpy(to, raw.p + at, plain);
        to += plain;
        at += plain;
        if (at < end)
            at += unit(raw, at, end, to++);
    }
    return to;
}

static bool note_line(struct qp_map *map, size_t raw, size_t decoded)
{
    map->too_many = map->raw.len > QP_LARGE && map->lines > map->raw.len / QP_MEAN_LINE_MIN;
    if (map->too_many)
        return false;
    if (map->lines == map->size) {
        size_t size = map->size ? map->size * 2 : map->raw.len / 70 + 16;
        struct qp_line *line = reallocarray(map->line, size, sizeof *line);

        if (!line)
            return false;
        map->line = line;
        map->size = size;
    }
    map->line[map->lines++] = (struct qp_line){(uint32_t)raw, (uint32_t)decoded};
    return true;
}

bool qp_decode(struct slice raw, struct buf *out, struct qp_map *map)
{
    size_t at = 0, end = raw.len;
    char *to;

    *map = (struct qp_map){.raw = raw};
    if (raw.len > UINT32_MAX)
        return false;
    if (!buf_reserve(out, raw.len))
        return false;
    to = out->data;
    while (at < raw.len) {
        struct line line = line_at(raw, at);

        if (!note_line(map, at, (size_t)(to - out->data)))
            return false;
        to = decode_text(raw, at, line.text, to);
        if (!line.soft) {
            memcpy(to, raw.p + line.end, line.next - line.end);
            to += line.next - line.end;
        }
        at = line.next;
        /* what is added at the end goes before a soft "=" that breaks nothing */
        end = line.soft && line.end == raw.len ? line.text : raw.len;
    }
    out->len = (size_t)(to - out->data);
    out->data[out->len] = '\0';
    return note_line(map, end, out->len);
}

void qp_map_free(struct qp_map *map)
{
    free(map->line);
    *map = (struct qp_map){0};
}

static void stand_on_line(struct qp_map *map, size_t number)
{
    struct line line = {0};

    map->last = number;
    map->at = map->line[number].raw;
    map->decoded = map->line[number].decoded;
    if (map->at < map->raw.len)
        line = line_at(map->raw, map->at);
    map->text = line.text;
    map->end = line.end;
}

/* To the last line that begins at or before the decoded byte; of several at one place the last holds it. */
static void find_line(struct qp_map *map, size_t decoded)
{
    size_t number = map->last;

    if (map->at == 0 || map->decoded > decoded)
        stand_on_line(map, number = 0);
    while (number + 1 < map->lines && map->line[number + 1].decoded <= decoded)
        number++;
    if (number != map->last)
        stand_on_line(map, number);
}

static size_t place(struct qp_map *map, size_t decoded, bool behind)
{
    size_t len, left;
    char byte;

    find_line(map, decoded);
    if (map->at >= map->raw.len)
        return map->raw.len;
    while (map->at < map->text) {
        len = unit(map->raw, map->at, map->text, &byte);
        if (map->decoded == decoded)
            return behind ? map->at + len : map->at;
        map->at += len;
        map->decoded++;
    }
    /* in the line break: its first byte stands for the white space dropped before it, too */
    left = decoded - map->decoded;
    if (behind)
        return map->end + left + 1;
    return left ? map->end + left : map->text;
}

size_t qp_start(struct qp_map *map, size_t decoded)
{
    return place(map, decoded, false);
}

size_t qp_end(struct qp_map *map, size_t decoded)
{
    return place(map, decoded, true);
}

bool qp_add_text(struct slice text, const char *line_break, size_t *column, struct buf *out)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t at = 0; at < text.len; at++) {
        unsigned char c = (unsigned char)text.p[at];
        bool escaped = c == '=' || c >= 0x7f;

        if (c == '\r' && at + 1 < text.len && text.p[at + 1] == '\n') {
            buf_add_str(out, line_break);
            *column = 0;
            at++;
            continue;
        }
        if (*column + (escaped ? 3 : 1) > QP_LINE_MAX - 1) {
            buf_add_char(out, '=');
            buf_add_str(out, line_break);
            *column = 0;
        }
        if (escaped) {
            buf_add_char(out, '=');
            buf_add_char(out, hex[c >> 4]);
        }
        buf_add_char(out, escaped ? hex[c & 15] : (char)c);
        *column += escaped ? 3 : 1;
    }
    return !out->failed;
}
