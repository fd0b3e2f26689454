/* SPDX-License-Identifier: BSD-2-Clause */
/* outgoing_plan - a plan's texts and header edits, and its summary; see outgoing.h and outgoing_work.h */

#include "mail/outgoing_work.h"

#include <stdlib.h>

enum { TEXT_MAX = 65535 /* what a record's text may have */ };

/* A copy that lives as long as the plan. */
struct outgoing_text {
    struct outgoing_text *next;
    char bytes[];
};

struct slice outgoing_keep(struct outgoing_plan *plan, struct slice text)
{
    struct outgoing_text *kept;

    if (text.len > TEXT_MAX)
        text.len = TEXT_MAX;
    kept = malloc(sizeof *kept + text.len + 1);
    if (!kept) {
        plan->failed = true;
        return slice_of(NULL, 0);
    }
    if (text.len)
        memcpy(kept->bytes, text.p, text.len);
    kept->bytes[text.len] = '\0';
    kept->next = plan->text;
    plan->text = kept;
    return slice_of(kept->bytes, text.len);
}

/* VALUE is taken over; NULL removes the field. */
static void edit_header(struct outgoing_plan *plan, const char *name, unsigned nth, char *value)
{
    struct outgoing_header_edit *grown = realloc(plan->edit, (plan->edits + 1) * sizeof *grown);

    if (!grown) {
        plan->failed = true;
        free(value);
        return;
    }
    plan->edit = grown;
    plan->edit[plan->edits++] = (struct outgoing_header_edit){.name = name, .nth = nth, .value = value};
}

void outgoing_set_header(struct outgoing_plan *plan, const char *name, unsigned nth, struct buf *value)
{
    char *text = buf_steal(value);

    if (!text)
        plan->failed = true;
    else
        edit_header(plan, name, nth, text);
}

void outgoing_remove_header(struct outgoing_plan *plan, const char *name, unsigned nth)
{
    edit_header(plan, name, nth, NULL);
}

/* From the last to the first, for an MTA may number the rest anew after each removal. */
void outgoing_remove_headers(struct outgoing_work *work, const char *name, unsigned first)
{
    for (unsigned nth = (unsigned)header_count(work->mail->headers, name); nth >= first; nth--)
        edit_header(work->plan, name, nth, NULL);
}

void outgoing_plan_free(struct outgoing_plan *plan)
{
    for (size_t at = 0; at < plan->edits; at++)
        free(plan->edit[at].value);
    free(plan->edit);
    free(plan->record.recipient);
    free(plan->record.link);
    rewrite_result_free(&plan->rewrite);
    if (plan->documents)
        document_list_free(plan->documents);
    free(plan->documents);
    while (plan->text) {
        struct outgoing_text *next = plan->text->next;

        free(plan->text);
        plan->text = next;
    }
    *plan = (struct outgoing_plan){.reason = NULL};
}

static void add_word(struct buf *out, size_t start, const char *word)
{
    buf_add_f(out, "%s%s", out->len > start ? "," : "", word);
}

static void add_count(struct buf *out, size_t start, const char *word, unsigned count)
{
    if (count) {
        add_word(out, start, word);
        buf_add_f(out, ":%u", count);
    }
}

unsigned outgoing_plan_documents(const struct outgoing_plan *plan)
{
    unsigned count = plan->carried;

    for (size_t at = 0; plan->documents && at < plan->documents->count; at++)
        count += plan->documents->item[at].number > 0;
    return count;
}

void outgoing_plan_summary(const struct outgoing_plan *plan, struct buf *out)
{
    size_t start = out->len;

    if (plan->tracked && plan->id_replaced)
        add_word(out, start, "id");
    if (plan->tracked && !plan->is_copy)
        add_word(out, start, "anchor");
    if (plan->tracked && plan->twin)
        add_word(out, start, "twin");
    if (plan->tracked && plan->unsubscribe != LIST_UNSUBSCRIBE_NONE)
        add_word(out, start, "unsubscribe");
    if (plan->return_path)
        add_word(out, start, "return_path");
    if (plan->tracked)
        add_count(out, start, "documents", outgoing_plan_documents(plan));
    if (plan->passed_on) {
        add_word(out, start, "pass");
    } else if (plan->tracked) {
        add_count(out, start, "pixel", plan->rewrite.pixels);
        add_count(out, start, "links", plan->rewrite.wrapped);
        add_count(out, start, "cleaned", plan->rewrite.cleaned);
    }
    if (out->len == start)
        buf_add_char(out, '-');
}

void outgoing_plan_whom(const struct outgoing_plan *plan, struct buf *out)
{
    if (!plan->whom.len)
        return;
    if (plan->tracked)
        buf_add_f(out, " level=%s", tracking_level_name(plan->record.level));
    buf_add_f(out, " whom=<%.*s>", SLICE_ARG(plan->whom));
}
