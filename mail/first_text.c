/* SPDX-License-Identifier: BSD-2-Clause */
/* first_text - see first_text.h */

#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/first_text.h"
#include "mail/html.h"
#include "mail/mime.h"
#include "mail/qp.h"
#include "mail/reference.h"

static const struct {
    const char *name, *text;
} letters[] = {
    {"nbsp", " "},    {"auml", "ä"},    {"ouml", "ö"},    {"uuml", "ü"},    {"Auml", "Ä"},   {"Ouml", "Ö"},
    {"Uuml", "Ü"},    {"szlig", "ß"},   {"eacute", "é"},  {"egrave", "è"},  {"ecirc", "ê"},  {"agrave", "à"},
    {"acirc", "â"},   {"aacute", "á"},  {"atilde", "ã"},  {"ccedil", "ç"},  {"ucirc", "û"},  {"ugrave", "ù"},
    {"ocirc", "ô"},   {"ograve", "ò"},  {"oacute", "ó"},  {"iacute", "í"},  {"ntilde", "ñ"}, {"aring", "å"},
    {"oslash", "ø"},  {"aelig", "æ"},   {"rsquo", "’"},   {"ndash", "–"},   {"mdash", "—"},
};

static const char *const blocks[] = {"p", "br", "div", "tr", "td", "li", "h1", "h2", "h3", "blockquote"};

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

static bool decode(const struct mime_part *part, struct slice text, struct buf *out)
{
    struct qp_map map;

    if (text.len > FIRST_TEXT_READ)
        text.len = FIRST_TEXT_READ;
    switch (part->encoding) {
    case MIME_BASE64:
        base64_decode(text, out); /* cut or damaged: what could be read will do */
        break;
    case MIME_QUOTED_PRINTABLE:
        qp_decode(text, out, &map);
        qp_map_free(&map);
        break;
    case MIME_IDENTITY:
        buf_add_slice(out, text);
        break;
    }
    return !out->failed;
}

/* The name of a letter, "&uuml;", at the start of TEXT: its length, 0 when it is none. */
static size_t add_letter(struct slice text, struct buf *out)
{
    for (size_t n = 0; n < sizeof letters / sizeof letters[0]; n++) {
        struct slice name = slice_str(letters[n].name);

        if (text.len > name.len + 1 && slice_eq(slice_of(text.p + 1, name.len), name) && text.p[name.len + 1] == ';') {
            buf_add_str(out, letters[n].text);
            return name.len + 2;
        }
    }
    return 0;
}

static void add_words(struct slice text, struct buf *scratch, struct buf *out)
{
    bool foreign = false;

    buf_reset(scratch);
    reference_decode(text, scratch, &foreign);
    if (!foreign) {
        buf_add_slice(out, buf_slice(scratch));
        return;
    }
    text = buf_slice(scratch);
    while (text.len) {
        size_t used = text.p[0] == '&' ? add_letter(text, out) : 0;

        if (!used)
            buf_add_char(out, text.p[0]);
        text = slice_from(text, used ? used : 1);
    }
}

static bool is_block(const struct html_token *token)
{
    for (size_t n = 0; n < sizeof blocks / sizeof blocks[0]; n++)
        if (html_is(token, blocks[n]))
            return true;
    return false;
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
            add_words(slice_of(page.p + token.at, token.end - token.at), &scratch, out);
        else if (is_block(&token))
            buf_add_char(out, '\n');
    }
    buf_free(&scratch);
    return !out->failed;
}

/* A charset's name may be missing or wrong: bytes are better than nothing. */
static bool add_utf8(const struct mime_part *part, struct slice text, struct buf *out)
{
    if (part->charset[0] && charset_to_utf8(slice_str(part->charset), text, out))
        return true;
    return buf_add_slice(out, text);
}

static bool read_part(const struct mime_part *part, struct slice text, struct buf *out)
{
    struct buf decoded, converted;
    bool done;

    buf_init(&decoded, 2 * FIRST_TEXT_READ);
    buf_init(&converted, 8 * FIRST_TEXT_READ);
    done = decode(part, text, &decoded) && add_utf8(part, buf_slice(&decoded), &converted);
    if (done && strcmp(part->type, "text/html") == 0)
        done = add_html(buf_slice(&converted), out);
    else if (done)
        done = buf_add_slice(out, buf_slice(&converted));
    buf_free(&decoded);
    buf_free(&converted);
    return done;
}

bool first_text_read(const struct header_list *headers, struct slice body, struct buf *out)
{
    const struct mime_part *part;
    struct mime_tree tree;
    bool done = mime_scan(headers, body, &tree);

    part = done ? first_part(&tree) : NULL;
    if (part)
        done = read_part(part, slice_of(body.p + part->at, part->len), out);
    mime_tree_free(&tree);
    return done;
}
