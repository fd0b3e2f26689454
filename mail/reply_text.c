/* SPDX-License-Identifier: BSD-2-Clause */
/* reply_text - see reply_text.h */

#include "mail/reply_text.h"

#include "common/utf8.h"
#include "mail/new_text.h"
#include "mail/quoted.h"
#include "mail/text_part.h"

enum { TEXT_MAX = 8 * REPLY_TEXT_READ };

static const struct mime_part *first_part(const struct mime_tree *tree, const char *type)
{
    for (size_t at = 0; at < tree->count; at++) {
        const struct mime_part *part = &tree->part[at];

        if (!part->multipart && !part->attachment && part->len && strcmp(part->type, type) == 0)
            return part;
    }
    return NULL;
}

/* --- HTML as lines ----------------------------------------------------------------------------------- */

/* In a page line breaks are blanks, and many are one. */
static void add_folded(struct slice words, struct buf *out)
{
    for (size_t at = 0; at < words.len; at++) {
        char last = out->len ? out->data[out->len - 1] : '\n';

        if (!ascii_is_space(words.p[at]))
            buf_add_char(out, words.p[at]);
        else if (last != ' ' && last != '\n')
            buf_add_char(out, ' ');
    }
}

static bool add_page(struct slice page, struct buf *out)
{
    struct quoted quoted = {0};
    struct html_scanner scanner;
    struct html_token token;
    struct buf scratch, words;
    bool in_title = false;

    buf_init(&scratch, TEXT_MAX);
    buf_init(&words, TEXT_MAX);
    html_scanner_init(&scanner, page);
    while (html_next(&scanner, &token)) {
        if (token.kind != HTML_TEXT) {
            quoted_step(&quoted, &scanner, &token);
            if (html_is(&token, "title"))
                in_title = token.kind == HTML_START_TAG;
            if (!quoted.inside && text_part_is_block(&token))
                buf_add_char(out, '\n');
        } else if (!quoted.inside && !in_title) {
            buf_reset(&words);
            text_part_add_words(slice_of(page.p + token.at, token.end - token.at), &scratch, &words);
            add_folded(buf_slice(&words), out);
        }
    }
    buf_free(&scratch);
    buf_free(&words);
    return !out->failed;
}

/* --- one part ---------------------------------------------------------------------------------------- */

/* The first REPLY_TEXT_MAX bytes, and no part of a character. */
static bool add_cut(struct slice text, struct buf *out)
{
    struct buf clean;
    size_t len;

    buf_init(&clean, 4 * TEXT_MAX);
    utf8_clean(text, &clean);
    len = clean.len < REPLY_TEXT_MAX ? clean.len : REPLY_TEXT_MAX;
    while (len < clean.len && len && ((unsigned char)clean.data[len] & 0xC0) == 0x80)
        len--;
    buf_add(out, clean.data ? clean.data : "", len);
    buf_free(&clean);
    return !out->failed;
}

static bool read_part(const struct mime_part *part, struct slice body, struct buf *out)
{
    struct buf text, lines, fresh;
    bool done;

    buf_init(&text, TEXT_MAX);
    buf_init(&lines, TEXT_MAX);
    buf_init(&fresh, TEXT_MAX);
    done = text_part_read(part, body, REPLY_TEXT_READ, &text);
    if (done && strcmp(part->type, "text/html") == 0)
        done = add_page(buf_slice(&text), &lines) && new_text_cut(buf_slice(&lines), &fresh);
    else if (done)
        done = new_text_cut(buf_slice(&text), &fresh);
    done = done && add_cut(buf_slice(&fresh), out);
    buf_free(&text);
    buf_free(&lines);
    buf_free(&fresh);
    return done;
}

bool reply_text_read(const struct header_list *headers, struct slice body, struct buf *out)
{
    static const char *const types[] = {"text/plain", "text/html"};
    struct mime_tree tree;
    bool done = mime_scan(headers, body, &tree);

    for (size_t n = 0; done && out->len == 0 && n < sizeof types / sizeof *types; n++) {
        const struct mime_part *part = first_part(&tree, types[n]);

        done = !part || read_part(part, body, out);
    }
    mime_tree_free(&tree);
    return done;
}
