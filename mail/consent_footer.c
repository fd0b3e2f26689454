/* SPDX-License-Identifier: BSD-2-Clause */
/* consent_footer - see consent_footer.h */

#include "mail/consent_footer.h"

#include "common/utf8.h"
#include "mail/charset.h"
#include "mail/reference.h"

#include <string.h>

enum { TEXT_MAX = 8 * 1024, LINE_WIDTH = 72 /* characters */ };

static bool is_alternative(const struct mime_part *part)
{
    return strcmp(part->type, "multipart/alternative") == 0;
}

static bool lies_in(const struct mime_tree *tree, int part, int multipart)
{
    while (part != MIME_NO_PARENT && part != multipart)
        part = tree->part[part].parent;
    return part == multipart;
}

/* Is one of them shown in place of the other? That is told by the nearest multipart that holds both. */
static bool are_alternatives(const struct mime_tree *tree, int text, int page)
{
    int both = tree->part[text].parent;

    while (both != MIME_NO_PARENT && !lies_in(tree, page, both))
        both = tree->part[both].parent;
    return both != MIME_NO_PARENT && is_alternative(&tree->part[both]);
}

/* 8bit and 7bit look alike here: a part that holds no byte of eight bits may be labelled 7bit. */
static bool must_be_ascii(const struct mime_part *part, struct slice body)
{
    const char *content = body.p + part->at;

    if (charset_way_of(slice_str(part->charset)) != CHARSET_DIRECT)
        return true;
    for (size_t at = 0; part->encoding == MIME_IDENTITY && at < part->len; at++)
        if ((unsigned char)content[at] >= 0x80)
            return false;
    return part->encoding == MIME_IDENTITY;
}

static size_t characters(struct slice text)
{
    size_t count = 0;

    while (text.len) {
        size_t len = utf8_character(text);

        text = slice_from(text, len ? len : 1);
        count++;
    }
    return count;
}

/* WORDS (UTF-8) in lines that need not be broken by whoever shows them. */
static void add_lines(struct slice words, struct buf *out)
{
    size_t column = 0;

    while (words.len) {
        struct slice word = slice_cut(&words, ' ');
        size_t width = characters(word);

        if (!word.len)
            continue;
        if (column)
            buf_add_str(out, column + 1 + width > LINE_WIDTH ? "\r\n" : " ");
        column = !column || column + 1 + width > LINE_WIDTH ? width : column + 1 + width;
        buf_add_slice(out, word);
    }
}

static bool write_text(const struct rewrite_settings *settings, const char *charset, struct buf *out)
{
    struct buf words, lines;
    bool foreign = false, done;

    buf_init(&words, TEXT_MAX);
    buf_init(&lines, 2 * TEXT_MAX);
    done = reference_decode(slice_str(settings->consent_text), &words, &foreign);
    add_lines(buf_slice(&words), &lines);
    buf_add_str(&lines, "\r\n");
    done = done && !words.failed && !lines.failed && charset_from_utf8(slice_str(charset), buf_slice(&lines), out);
    buf_free(&words);
    buf_free(&lines);
    return done;
}

void consent_footer_begin(struct consent_footer *footer, const struct rewrite_settings *settings, const struct mime_tree *tree,
                          struct slice body, int page)
{
    *footer = (struct consent_footer){.settings = settings, .tree = tree, .body = body, .page = page};
    footer->wanted = settings->consent_text && settings->consent_in_text;
    buf_init(&footer->text, 4 * TEXT_MAX);
}

void consent_footer_free(struct consent_footer *footer)
{
    buf_free(&footer->text);
}

/* Is it the part at INDEX that is to have it now? */
static bool is_due(const struct consent_footer *footer, size_t index)
{
    const struct mime_part *part = &footer->tree->part[index];

    if (!footer->wanted || strcmp(part->type, "text/plain") != 0 || part->attachment)
        return false;
    return footer->page == MIME_NO_PARENT || footer->passed_over || are_alternatives(footer->tree, (int)index, footer->page);
}

bool consent_footer_write(struct consent_footer *footer, size_t index, struct slice *text)
{
    const struct mime_part *part = &footer->tree->part[index];
    const struct rewrite_urls *urls = &footer->settings->urls;

    *text = slice_of(NULL, 0);
    if (!is_due(footer, index))
        return true;
    buf_reset(&footer->text);
    if (!write_text(footer->settings, must_be_ascii(part, footer->body) ? "us-ascii" : part->charset, &footer->text))
        return false;
    footer->wanted = urls->consent(urls->arg, &footer->text);
    if (footer->wanted)
        *text = buf_slice(&footer->text);
    return !footer->text.failed;
}

void consent_footer_settle(struct consent_footer *footer, size_t index, bool shown)
{
    if (is_due(footer, index)) {
        footer->wanted = !shown;
        footer->passed_over = !shown;
    }
}
