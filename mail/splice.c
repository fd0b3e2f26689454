/* SPDX-License-Identifier: BSD-2-Clause */
/* splice - see splice.h */

#include "mail/splice.h"
#include "mail/base64.h"
#include "mail/qp.h"

#include <stdint.h>
#include <stdlib.h>

enum { FIRST_ITEMS = 64 };

void splice_list_init(struct splice_list *list)
{
    *list = (struct splice_list){0};
    buf_init(&list->texts, SIZE_MAX / 4);
}

void splice_list_free(struct splice_list *list)
{
    free(list->item);
    buf_free(&list->texts);
    *list = (struct splice_list){0};
}

static struct splice *add(struct splice_list *list)
{
    if (list->count == list->size) {
        size_t size = list->size ? list->size * 2 : FIRST_ITEMS;
        struct splice *item = reallocarray(list->item, size, sizeof *item);

        if (!item) {
            list->failed = true;
            return NULL;
        }
        list->item = item;
        list->size = size;
    }
    return &list->item[list->count];
}

void splice_add(struct splice_list *list, size_t at, size_t len, struct slice text)
{
    struct splice *splice = add(list);

    if (!splice)
        return;
    *splice = (struct splice){
        .at = at, .len = len, .text_at = list->texts.len, .text_len = text.len, .order = list->count + 1};
    if (buf_add_slice(&list->texts, text))
        list->count++;
    else
        list->failed = true;
}

static void add_break(struct splice_list *list, size_t at, size_t order)
{
    struct splice *splice = add(list);

    if (splice) {
        *splice = (struct splice){.at = at, .order = order, .is_break = true};
        list->count++;
    }
}

void splice_add_break(struct splice_list *list, size_t at)
{
    add_break(list, at, list->count + 1);
}

static int compare(const void *left, const void *right)
{
    const struct splice *a = left, *b = right;

    if (a->at != b->at)
        return a->at < b->at ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

void splice_remove(struct splice_list *list, size_t at, size_t len)
{
    struct splice *last = list->count ? &list->item[list->count - 1] : NULL;

    if (last && last->len && !last->text_len && last->at + last->len == at) {
        last->len += len;
        return;
    }
    splice_add_break(list, at);
    splice_add(list, at, len, slice_str(""));
}

/* Nothing but white space from one place of the text to another. */
static bool only_blank(struct slice text, size_t from, size_t to)
{
    while (from < to && ascii_is_space(text.p[from]))
        from++;
    return from >= to;
}

void splice_insert(struct splice_list *list, struct slice text, size_t at, struct slice added)
{
    for (size_t index = 0; index < list->count; index++) {
        struct splice *splice = &list->item[index];
        size_t end = splice->at + splice->len;

        if (splice->len == 0 || splice->text_len)
            continue;
        if (end <= at ? only_blank(text, end, at) : splice->at >= at && only_blank(text, at, splice->at)) {
            splice->text_at = list->texts.len;
            splice->text_len = added.len;
            list->failed |= !buf_add_slice(&list->texts, added);
            at = splice->at;
            add_break(list, at, 0); /* before the splice itself, though it came first */
            splice_add_break(list, end);
            return;
        }
    }
    splice_add_break(list, at);
    splice_add(list, at, 0, added);
    splice_add_break(list, at);
}

bool splice_settle(struct splice_list *list)
{
    if (list->count && !list->failed)
        qsort(list->item, list->count, sizeof *list->item, compare);
    return !list->failed;
}

static struct slice text_of(const struct splice_list *list, const struct splice *splice)
{
    return slice_of(list->texts.data ? list->texts.data + splice->text_at : "", splice->text_len);
}

/* What the two kinds of newline become. */
struct line_breaks {
    const char *soft, *hard;
};

static bool add_lines(struct slice text, struct line_breaks breaks, enum charset_way way, struct buf *out)
{
    const char *newline;

    while (text.len && (newline = memchr(text.p, '\n', text.len))) {
        size_t len = (size_t)(newline - text.p);
        bool hard = len && newline[-1] == '\r';

        if (!charset_add_ascii(way, slice_of(text.p, len - hard), out) ||
            !charset_add_ascii(way, slice_str(hard ? breaks.hard : breaks.soft), out))
            return false;
        text = slice_from(text, len + 1);
    }
    return charset_add_ascii(way, text, out);
}

bool splice_begin(struct splice_output *output, size_t at, size_t removed)
{
    if (output->edits == output->size) {
        size_t size = output->size ? output->size * 2 : FIRST_ITEMS;
        struct rewrite_edit *edit = reallocarray(output->edit, size, sizeof *edit);

        if (!edit)
            return false;
        output->edit = edit;
        output->size = size;
    }
    if (!buf_add(output->body, output->old.p + output->taken, at - output->taken))
        return false;
    output->taken = at + removed;
    output->edit[output->edits++] =
        (struct rewrite_edit){.at = at, .removed = removed, .new_at = output->body->len};
    return true;
}

void splice_end(struct splice_output *output)
{
    struct rewrite_edit *edit = &output->edit[output->edits - 1];

    edit->added = output->body->len - edit->new_at;
}

bool splice_finish(struct splice_output *output)
{
    return buf_add(output->body, output->old.p + output->taken, output->old.len - output->taken);
}

static const char *line_break_of(struct slice text)
{
    const char *newline = memchr(text.p, '\n', text.len);

    return newline && (newline == text.p || newline[-1] != '\r') ? "\n" : "\r\n";
}

/* The column after the old bytes from FROM to TO, when it was COLUMN before them. */
static size_t column_after(struct slice old, size_t from, size_t to, size_t column)
{
    const char *newline = to > from ? memrchr(old.p + from, '\n', to - from) : NULL;

    return newline ? (size_t)(old.p + to - newline) - 1 : column + (to - from);
}

/* How far the old bytes from FROM stay on one line, up to TO. *ENDS tells whether the line ends there. */
static size_t rest_of_line(struct slice old, size_t from, size_t to, bool *ends)
{
    const char *newline = to > from ? memchr(old.p + from, '\n', to - from) : NULL;

    *ends = newline != NULL;
    if (!newline)
        return to - from;
    if (newline > old.p + from && newline[-1] == '\r')
        newline--;
    return (size_t)(newline - old.p) - from;
}

/* How long the line goes on behind the break at INDEX, to the next place where it may be broken. */
static size_t length_behind_break(struct slice part, const struct splice_list *list, size_t index)
{
    size_t at = list->item[index].at, length = 0;
    bool ends = false;

    for (index++; !ends; index++) {
        size_t next = index < list->count ? list->item[index].at : part.len;

        length += rest_of_line(part, at, next, &ends);
        if (ends || index >= list->count || list->item[index].is_break)
            break;
        length += rest_of_line(text_of(list, &list->item[index]), 0, list->item[index].text_len, &ends);
        at = next + list->item[index].len;
    }
    return length;
}

bool splice_identity(struct splice_output *output, const struct splice_list *list, size_t at, size_t len)
{
    struct slice part = slice_of(output->old.p + at, len);
    const char *line_break = line_break_of(part);
    size_t column = 0, from = 0, begun;

    for (size_t index = 0; index < list->count; index++) {
        const struct splice *splice = &list->item[index];

        column = column_after(part, from, splice->at, column);
        from = splice->at + splice->len;
        if (splice->is_break &&
            (column == 0 || column + length_behind_break(part, list, index) <= SPLICE_LINE_MAX))
            continue;
        if (!splice_begin(output, at + splice->at, splice->len))
            return false;
        begun = output->body->len;
        if (splice->is_break ? !buf_add_str(output->body, line_break)
                             : !add_lines(text_of(list, splice), (struct line_breaks){line_break, line_break}, CHARSET_DIRECT,
                                        output->body))
            return false;
        column = column_after(buf_slice(output->body), begun, output->body->len, column);
        splice_end(output);
    }
    return true;
}

/* Where the next change after INDEX begins in the raw text. */
static size_t next_start(const struct splice_list *list, size_t index, struct qp_map *map)
{
    for (index++; index < list->count; index++)
        if (!list->item[index].is_break)
            return qp_start(map, list->item[index].at);
    return map->raw.len;
}

/* A lone "=" or "=X" before the change must not become an escape with what follows it now. */
static bool open_escape(struct slice raw, size_t start, size_t column)
{
    return (column >= 1 && start >= 1 && raw.p[start - 1] == '=') ||
           (column >= 2 && start >= 2 && raw.p[start - 2] == '=');
}

/* A bare CR counts: at the end of a line it would become part of the line break. */
static bool ends_blank(struct slice text)
{
    return text.len && strchr(" \t\r", text.p[text.len - 1]) && text.p[text.len - 1];
}

static bool add_soft_break(struct buf *out, const char *line_break, size_t *column)
{
    *column = 0;
    return buf_add_char(out, '=') && buf_add_str(out, line_break);
}

/* One change in quoted-printable, and the soft breaks around it. */
static bool splice_one_qp(struct splice_output *output, struct slice raw, const char *line_break,
                          struct slice text, size_t start, size_t end, size_t next, size_t *column)
{
    size_t begun = output->body->len, rest;
    bool ends;

    if (open_escape(raw, start, *column) && !add_soft_break(output->body, line_break, column))
        return false;
    if (!qp_add_text(text, line_break, column, output->body))
        return false;
    rest = rest_of_line(raw, end, next, &ends);
    ends = ends || next == raw.len;
    /* a blank that now ends the line would be lost; a line that grew, or was joined to the next, is broken */
    if ((output->body->len == begun && *column && ends && ends_blank(slice_of(raw.p, start)) &&
         only_blank(raw, end, end + rest)) ||
        (rest && *column && *column + rest > (ends ? QP_LINE_MAX : QP_LINE_MAX - 1)))
        return add_soft_break(output->body, line_break, column);
    return true;
}

bool splice_qp(struct splice_output *output, const struct splice_list *list, size_t at, struct qp_map *map,
               enum charset_way way)
{
    const char *line_break = line_break_of(map->raw);
    size_t column = 0, from = 0, start, end;
    struct buf text;
    bool done = true;

    buf_init(&text, SIZE_MAX / 4);
    for (size_t index = 0; done && index < list->count; index++) {
        const struct splice *splice = &list->item[index];

        if (splice->is_break)
            continue;
        start = qp_start(map, splice->at);
        end = splice->len ? qp_end(map, splice->at + splice->len - 1) : start;
        column = column_after(map->raw, from, start, column);
        from = end;
        buf_reset(&text);
        done = add_lines(text_of(list, splice), (struct line_breaks){"", "\r\n"}, way, &text) &&
               splice_begin(output, at + start, end - start) &&
               splice_one_qp(output, map->raw, line_break, buf_slice(&text), start, end,
                             next_start(list, index, map), &column);
        if (done)
            splice_end(output);
    }
    buf_free(&text);
    return done;
}

/* The text with all changes made. */
static bool splice_decoded(const struct splice_list *list, struct slice decoded, enum charset_way way,
                           struct buf *out)
{
    bool wide = way == CHARSET_UTF_16LE || way == CHARSET_UTF_16BE;
    struct line_breaks breaks = {"", wide ? "\r\n" : line_break_of(decoded)};
    size_t from = 0;

    if (!buf_reserve(out, decoded.len + list->texts.len * 2))
        return false;
    for (size_t index = 0; index < list->count; index++) {
        const struct splice *splice = &list->item[index];

        buf_add(out, decoded.p + from, splice->at - from);
        add_lines(text_of(list, splice), breaks, way, out);
        from = splice->at + splice->len;
    }
    return buf_add(out, decoded.p + from, decoded.len - from);
}

static size_t common_start(struct slice a, struct slice b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.p[len] == b.p[len])
        len++;
    return len;
}

static size_t common_end(struct slice a, struct slice b)
{
    size_t len = 0;

    while (len < a.len && len < b.len && a.p[a.len - 1 - len] == b.p[b.len - 1 - len])
        len++;
    return len;
}

/* The edit just made without what is the same in the old text at its ends. */
static void narrow_edit(struct splice_output *output)
{
    struct rewrite_edit *edit = &output->edit[output->edits - 1];
    struct slice old = slice_of(output->old.p + edit->at, edit->removed);
    struct slice new = slice_of(output->body->data + edit->new_at, edit->added);
    size_t same = common_start(old, new);
    size_t tail = common_end(slice_from(old, same), slice_from(new, same));

    edit->at += same;
    edit->new_at += same;
    edit->removed -= same + tail;
    edit->added -= same + tail;
}

/* A 40 MB mail is here up to three times, so each copy goes as soon as the next is made. */
bool splice_base64(struct splice_output *output, const struct splice_list *list, size_t at, size_t len,
                   struct buf *decoded, enum charset_way way)
{
    struct base64_shape shape = base64_shape_of(slice_of(output->old.p + at, len));
    struct buf changed;
    bool done;

    buf_init(&changed, SIZE_MAX / 4);
    done = splice_decoded(list, buf_slice(decoded), way, &changed);
    buf_free(decoded);
    done = done && splice_begin(output, at, len) && base64_encode(buf_slice(&changed), shape, output->body);
    buf_free(&changed);
    if (done) {
        splice_end(output);
        narrow_edit(output);
    }
    return done;
}
