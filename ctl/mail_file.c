/* SPDX-License-Identifier: BSD-2-Clause */
/* mail_file - see mail_file.h */

#include "ctl/mail_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAIL_MAX = 256 * 1024 * 1024 };

static bool read_all(FILE *in, struct buf *raw)
{
    char chunk[65536];
    size_t len;

    while ((len = fread(chunk, 1, sizeof chunk, in)) > 0)
        if (!buf_add(raw, chunk, len))
            return false;
    return !ferror(in);
}

/* LF alone becomes CRLF, as sendmail(1) and SMTP clients send it. */
static void add_crlf(struct buf *out, struct slice text)
{
    while (text.len) {
        const char *lf = memchr(text.p, '\n', text.len);
        size_t len = lf ? (size_t)(lf - text.p) : text.len;

        buf_add(out, text.p, len);
        if (lf && !(len && text.p[len - 1] == '\r'))
            buf_add_char(out, '\r');
        if (lf)
            buf_add_char(out, '\n');
        text = slice_from(text, lf ? len + 1 : len);
    }
}

static void add_lf(struct buf *out, struct slice text)
{
    while (text.len) {
        const char *cr = memchr(text.p, '\r', text.len);
        size_t len = cr ? (size_t)(cr - text.p) : text.len;

        buf_add(out, text.p, len);
        if (cr && !(len + 1 < text.len && cr[1] == '\n'))
            buf_add_char(out, '\r');
        text = slice_from(text, cr ? len + 1 : len);
    }
}

bool mail_file_bytes(const char *path, struct buf *bytes, struct buf *error)
{
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    bool read = in && read_all(in, bytes);

    if (!read)
        buf_add_f(error, "cannot read %s: %s", path, bytes->failed ? "too large" : strerrordesc_np(errno));
    if (in && in != stdin)
        fclose(in);
    return read;
}

bool mail_file_read(const char *path, struct mail_file *file, struct buf *error)
{
    const char *lf;

    buf_init(&file->raw, MAIL_MAX);
    buf_init(&file->body, (size_t)MAIL_MAX * 2);
    header_list_init(&file->headers);
    if (!mail_file_bytes(path, &file->raw, error))
        return false;
    lf = file->raw.len ? memchr(file->raw.data, '\n', file->raw.len) : NULL;
    file->lf = lf && !(lf > file->raw.data && lf[-1] == '\r');
    file->body_at = header_parse(buf_slice(&file->raw), &file->headers);
    add_crlf(&file->body, slice_from(buf_slice(&file->raw), file->body_at));
    if (file->body.failed)
        buf_add_f(error, "no memory for %s", path);
    return !file->body.failed;
}

void mail_file_free(struct mail_file *file)
{
    buf_free(&file->raw);
    buf_free(&file->body);
    header_list_free(&file->headers);
}

static const struct outgoing_header_edit *edit_of(const struct outgoing_plan *plan, const char *name, unsigned nth)
{
    for (size_t at = 0; at < plan->edits; at++)
        if (plan->edit[at].nth == nth && strcasecmp(plan->edit[at].name, name) == 0)
            return &plan->edit[at];
    return NULL;
}

static bool edit_names(const struct outgoing_plan *plan, const char *name)
{
    for (size_t at = 0; at < plan->edits; at++)
        if (strcasecmp(plan->edit[at].name, name) == 0)
            return true;
    return false;
}

static void add_field(struct buf *out, const struct outgoing_header_edit *edit, bool lf)
{
    buf_add_f(out, "%s: ", edit->name);
    (lf ? add_lf : add_crlf)(out, slice_str(edit->value));
    buf_add_str(out, lf ? "\n" : "\r\n");
}

/* Which of that name this field is, from 1. */
static unsigned number_of(const struct header_list *headers, size_t field)
{
    unsigned nth = 1;

    for (size_t above = 0; above < field; above++)
        nth += strcasecmp(headers->field[above].name, headers->field[field].name) == 0;
    return nth;
}

/* The fields as they stand but for those edited; what is new comes last. Returns where the fields end in the file. */
static size_t apply_headers(const struct mail_file *file, const struct outgoing_plan *plan, struct buf *out)
{
    const struct header_list *headers = &file->headers;
    struct slice raw = buf_slice(&file->raw);
    struct header_line line;
    size_t start = 0;

    for (size_t field = 0, at = 0; field < headers->count && header_next(raw, &at, &line); field++) {
        const char *name = headers->field[field].name;
        const struct outgoing_header_edit *edit = NULL;

        if (edit_names(plan, name))
            edit = edit_of(plan, name, number_of(headers, field));
        if (!edit)
            buf_add(out, raw.p + start, at - start);
        else if (edit->value)
            add_field(out, edit, file->lf);
        start = at;
    }
    for (size_t edit = 0; edit < plan->edits; edit++)
        if (plan->edit[edit].value && plan->edit[edit].nth > header_count(headers, plan->edit[edit].name))
            add_field(out, &plan->edit[edit], file->lf);
    return start;
}

bool mail_file_apply(const struct mail_file *file, const struct outgoing_plan *plan, struct buf *out)
{
    struct slice raw = buf_slice(&file->raw);
    size_t fields_end = apply_headers(file, plan, out);

    buf_add(out, raw.p + fields_end, file->body_at - fields_end);
    if (!plan->rewrite.changed)
        buf_add_slice(out, slice_from(raw, file->body_at));
    else if (file->lf)
        add_lf(out, buf_slice(&plan->rewrite.body));
    else
        buf_add_slice(out, buf_slice(&plan->rewrite.body));
    return !out->failed;
}
