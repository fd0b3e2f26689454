/* SPDX-License-Identifier: BSD-2-Clause */
/* detach - see detach.h */

#include "mail/detach.h"
#include "mail/document_block.h"

#include <stdlib.h>

enum { BLOCK_MAX = 256 * 1024, URL_MAX = 4096 };

static const char page_type[] = "Content-Type: text/html; charset=us-ascii";
static const char page_encoding[] = "Content-Transfer-Encoding: 7bit";

/* The links in the order of their numbers; the texts behind them are in URLS. */
struct links {
    struct document_link item[DOCUMENTS_MAX];
    size_t count;
    struct buf urls;
};

static bool list_links(const struct rewrite_settings *settings, struct links *links)
{
    size_t at[DOCUMENTS_MAX];

    links->count = 0;
    buf_init(&links->urls, DOCUMENTS_MAX * URL_MAX);
    for (size_t n = 0; n < settings->documents; n++) {
        const struct document *document = &settings->document[n];

        if (!document->number)
            continue;
        at[links->count] = links->urls.len;
        links->item[links->count++].document = document;
        links->urls.failed |= !settings->urls.document(settings->urls.arg, document->number, &links->urls);
        buf_add_char(&links->urls, '\0');
    }
    for (size_t n = 0; n < links->count; n++)
        links->item[n].url = links->urls.data + at[n];
    return !links->urls.failed;
}

bool detach_prepare(struct detach *detach, const struct rewrite_settings *settings, const struct mime_tree *tree)
{
    struct links links;
    bool done;

    *detach = (struct detach){.settings = settings, .tree = tree, .html = MIME_NO_PARENT, .text = MIME_NO_PARENT};
    buf_init(&detach->block_html, BLOCK_MAX);
    buf_init(&detach->block_text, BLOCK_MAX);
    buf_init(&detach->block_utf8, BLOCK_MAX);
    if (!settings->documents)
        return true;
    done = list_links(settings, &links);
    if (done && !links.count) {
        buf_free(&links.urls);
        return true; /* all of them stay */
    }
    detach->html = mime_first_shown(tree, "text/html");
    detach->text = mime_first_shown(tree, "text/plain");
    detach->page = settings->documents_page || (detach->html == MIME_NO_PARENT && detach->text == MIME_NO_PARENT);
    if (done) {
        document_block_html(links.item, links.count, &detach->block_html);
        document_block_text(links.item, links.count, false, &detach->block_text);
        document_block_text(links.item, links.count, true, &detach->block_utf8);
    }
    buf_free(&links.urls);
    return done && !detach->block_html.failed && !detach->block_text.failed && !detach->block_utf8.failed;
}

void detach_free(struct detach *detach)
{
    buf_free(&detach->block_html);
    buf_free(&detach->block_text);
    buf_free(&detach->block_utf8);
}

static const struct document *document_of(const struct detach *detach, size_t index, bool *first)
{
    const struct rewrite_settings *settings = detach->settings;

    *first = true;
    for (size_t at = 0; at < settings->documents; at++) {
        if (!settings->document[at].number)
            continue;
        if (settings->document[at].part == index)
            return &settings->document[at];
        *first = false;
    }
    return NULL;
}

bool detach_leaves(const struct detach *detach, size_t index)
{
    bool first;

    return document_of(detach, index, &first) != NULL;
}

bool detach_is_page(const struct detach *detach, size_t index)
{
    bool first;

    return detach->page && document_of(detach, index, &first) && first;
}

static bool is_utf8(const struct mime_part *part, struct slice content)
{
    if (!slice_is_i(slice_str(part->charset), "utf-8"))
        return false;
    for (size_t at = 0; part->encoding == MIME_IDENTITY && at < content.len; at++)
        if ((unsigned char)content.p[at] >= 0x80)
            return true;
    return part->encoding != MIME_IDENTITY; /* the label of the others may be 7bit */
}

struct slice detach_block(const struct detach *detach, size_t index, struct slice content)
{
    if (!detach->page && (int)index == detach->html)
        return buf_slice(&detach->block_html);
    if (detach->page || (int)index != detach->text)
        return slice_str("");
    return buf_slice(is_utf8(&detach->tree->part[index], content) ? &detach->block_utf8 : &detach->block_text);
}

bool detach_empties(const struct detach *detach, size_t index)
{
    const struct mime_tree *tree = detach->tree;
    const struct mime_part *part = &tree->part[index];
    bool files = false;

    if (!part->multipart || part->parent == MIME_NO_PARENT || !part->next)
        return false;
    for (size_t at = index + 1; at < tree->count && tree->part[at].parent >= (int)index; at++) {
        if (tree->part[at].multipart) {
            if (at + 1 == tree->count || tree->part[at + 1].parent != (int)at)
                return false; /* nobody knows what readers show of one without parts */
            continue;
        }
        if (!detach_leaves(detach, at) || detach_is_page(detach, at))
            return false;
        files = true;
    }
    return files;
}

static bool is_in_emptied(const struct detach *detach, size_t index)
{
    for (int at = detach->tree->part[index].parent; at != MIME_NO_PARENT; at = detach->tree->part[at].parent)
        if (detach_empties(detach, (size_t)at))
            return true;
    return false;
}

/* The header of a part only where it has one: that of the whole mail is not in its body. */
static bool add_page(const struct detach *detach, const struct mime_part *part, struct slice pixel,
                     struct splice_output *output)
{
    const char *newline = memchr(output->old.p, '\n', output->old.len);
    const char *line_break = newline && (newline == output->old.p || newline[-1] != '\r') ? "\n" : "\r\n";
    struct buf page;

    buf_init(&page, BLOCK_MAX);
    if (part->parent != MIME_NO_PARENT)
        buf_add_f(&page, "%s%s%s%s%s", page_type, line_break, page_encoding, line_break, line_break);
    document_block_page(buf_slice(&detach->block_html), pixel, line_break, &page);
    if (part->parent != MIME_NO_PARENT && page.len)
        page.len -= strlen(line_break); /* the last one is the delimiter's */
    page.failed |= !buf_add_slice(output->body, buf_slice(&page));
    buf_free(&page);
    return !output->body->failed;
}

bool detach_part(const struct detach *detach, struct splice_output *output, size_t index, struct slice pixel)
{
    const struct mime_part *part = &detach->tree->part[index];
    bool done;

    if (is_in_emptied(detach, index))
        return true;
    if (!detach_is_page(detach, index)) {
        done = splice_begin(output, part->begin, part->next - part->begin);
    } else {
        done = splice_begin(output, part->header, part->at + part->len - part->header) &&
               add_page(detach, part, pixel, output);
    }
    if (done)
        splice_end(output);
    return done;
}

size_t detach_bytes(const struct detach *detach)
{
    size_t bytes = 0;

    for (size_t at = 0; at < detach->settings->documents; at++)
        bytes += detach->settings->document[at].number ? detach->settings->document[at].len : 0;
    return bytes;
}
