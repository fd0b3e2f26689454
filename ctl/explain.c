/* SPDX-License-Identifier: BSD-2-Clause */
/* explain - see explain.h */

#include "ctl/explain.h"
#include "mail/mime.h"

/* Text from a mail must not reach a terminal with what could command it. */
static void add_visible(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || (unsigned char)*text >= 0x7f)
            buf_add_f(out, "%%%02X", (unsigned char)*text);
        else
            buf_add_char(out, *text);
    }
}

static void add_policy(const struct outgoing_plan *plan, struct buf *out)
{
    buf_add_f(out, "policy: %s ", plan->tracked ? tracking_level_name(plan->record.level) : "off");
    add_visible(out, plan->whom.p);
    buf_add_char(out, '\n');
}

static void add_decision(const struct outgoing_plan *plan, bool observe, struct buf *out)
{
    const char *reason = observe ? "observe" : plan->reason;
    const char *word = !plan->tracked || observe ? "untouched" : reason ? "partly" : "tracked";

    buf_add_f(out, "decision: %s", word);
    if (reason)
        buf_add_f(out, " %s", reason);
    buf_add_char(out, '\n');
    if (plan->whom.len)
        add_policy(plan, out);
    if (plan->record.campaign.len) {
        buf_add_str(out, "campaign: ");
        add_visible(out, plan->record.campaign.p);
        buf_add_char(out, '\n');
    }
}

/* One line, whatever the value's folding. */
static void add_header_edit(const struct mail_file *file, const struct outgoing_header_edit *edit, struct buf *out)
{
    bool there = edit->nth <= header_count(&file->headers, edit->name);
    const char *done = !edit->value ? "removed" : there ? "replaced" : "added";
    struct buf value;

    buf_add_f(out, "header: %s %u %s", edit->name, edit->nth, done);
    buf_init(&value, HEADER_BYTES_MAX);
    if (edit->value && header_unfold(slice_str(edit->value), &value)) {
        buf_add_char(out, ' ');
        add_visible(out, buf_text(&value));
    }
    out->failed |= value.failed;
    buf_free(&value);
    buf_add_char(out, '\n');
}

static void add_part(size_t number, const char *type, size_t at, size_t len, const char *done, struct buf *out)
{
    buf_add_f(out, "part: %zu ", number);
    add_visible(out, *type ? type : "-");
    buf_add_f(out, " at %zu length %zu %s", at, len, done);
}

static void add_parts(const struct rewrite_result *result, struct buf *out)
{
    for (size_t number = 0; number < result->parts; number++) {
        const struct rewrite_part *part = &result->part[number];

        add_part(number, part->type, part->at, part->len, part->done, out);
        if (part->pixels)
            buf_add_f(out, " pixels %u", part->pixels);
        if (part->links)
            buf_add_f(out, " links %u", part->links);
        if (part->cleaned)
            buf_add_f(out, " cleaned %u", part->cleaned);
        buf_add_char(out, '\n');
    }
}

/* Nobody looked into the body: all its parts stay for the mail's own reason. */
static bool add_sealed_parts(const struct mail_file *file, const char *reason, struct buf *out)
{
    struct mime_tree tree;
    bool done = mime_scan(&file->headers, buf_slice(&file->body), &tree);

    for (size_t number = 0; done && number < tree.count; number++) {
        const struct mime_part *part = &tree.part[number];

        add_part(number, part->type, part->at, part->len, reason ? reason : "unchanged", out);
        buf_add_char(out, '\n');
    }
    mime_tree_free(&tree);
    return done;
}

static void add_documents(const struct outgoing_plan *plan, struct buf *out)
{
    for (size_t at = 0; plan->documents && at < plan->documents->count; at++) {
        const struct document *document = &plan->documents->item[at];

        buf_add_f(out, "document: %u part %u %s %llu ", document->number, document->part, document->type,
                  (unsigned long long)document->bytes);
        add_visible(out, document->name);
        buf_add_char(out, '\n');
    }
}

static void add_links(const struct rewrite_result *result, struct buf *out)
{
    for (size_t at = 0; at < result->links; at++) {
        const struct rewrite_link *link = &result->link[at];

        buf_add_f(out, "link: %u part %u %s ", link->index, link->part, rewrite_fate_name(link->fate));
        add_visible(out, link->destination);
        buf_add_char(out, '\n');
    }
}

bool explain_plan(const struct mail_file *file, const struct outgoing_plan *plan, bool observe, struct buf *out)
{
    bool done = true;

    add_decision(plan, observe, out);
    for (size_t at = 0; at < plan->edits; at++)
        add_header_edit(file, &plan->edit[at], out);
    if (plan->return_path)
        buf_add_f(out, "sender: %s\n", plan->return_path);
    if (plan->rewrite.parts)
        add_parts(&plan->rewrite, out);
    else
        done = add_sealed_parts(file, plan->reason, out);
    add_documents(plan, out);
    add_links(&plan->rewrite, out);
    return done && !out->failed;
}
