/* SPDX-License-Identifier: BSD-2-Clause */
/* first_text - see first_text.h */

#include "mail/first_text.h"
#include "mail/text_part.h"

static const struct mime_part *first_part(const struct mime_tree *tree)
{
    for (size_t at = 0; at < tree->count; at++) {
        const struct mime_part *part = &tree->part[at];

        if (!part->multipart && !part->attachment && part->len &&
            (strcmp(part->type, "text/plain") == 0 || strcmp(part->type, "text/html") == 0))
            return part;
    }
    return NULL;
}

static bool add_html(struct slice page, struct buf *out)
{
    struct html_scanner scanner;
    struct html_token token;
    struct buf scratch;

    buf_init(&scratch, 4 * FIRST_TEXT_READ);
    html_scanner_init(&scanner, page);
    while (html_next(&scanner, &token)) {
        if (token.kind == HTML_TEXT)
            text_part_add_words(slice_of(page.p + token.at, token.end - token.at), &scratch, out);
        else if (text_part_is_block(&token))
            buf_add_char(out, '\n');
    }
    buf_free(&scratch);
    return !out->failed;
}

static bool read_part(const struct mime_part *part, struct slice body, struct buf *out)
{
    struct buf text;
    bool done;

    buf_init(&text, 8 * FIRST_TEXT_READ);
    done = text_part_read(part, body, FIRST_TEXT_READ, &text);
    if (done && strcmp(part->type, "text/html") == 0)
        done = add_html(buf_slice(&text), out);
    else if (done)
        done = buf_add_slice(out, buf_slice(&text));
    buf_free(&text);
    return done;
}

bool first_text_read(const struct header_list *headers, struct slice body, struct buf *out)
{
    const struct mime_part *part;
    struct mime_tree tree;
    bool done = mime_scan(headers, body, &tree);

    part = done ? first_part(&tree) : NULL;
    if (part)
        done = read_part(part, body, out);
    mime_tree_free(&tree);
    return done;
}
