/* SPDX-License-Identifier: BSD-2-Clause */
/* text_part - see text_part.h */

#include "mail/text_part.h"

#include "mail/base64.h"
#include "mail/charset.h"
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

static bool decode(const struct mime_part *part, struct slice text, struct buf *out)
{
    struct qp_map map;

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

void text_part_add_words(struct slice text, struct buf *scratch, struct buf *out)
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

bool text_part_is_block(const struct html_token *token)
{
    for (size_t n = 0; n < sizeof blocks / sizeof blocks[0]; n++)
        if (html_is(token, blocks[n]))
            return true;
    return false;
}

/* A charset's name may be missing or wrong: bytes are better than nothing. */
static bool add_utf8(const struct mime_part *part, struct slice text, struct buf *out)
{
    if (part->charset[0] && charset_to_utf8(slice_str(part->charset), text, out))
        return true;
    return buf_add_slice(out, text);
}

bool text_part_read(const struct mime_part *part, struct slice body, size_t most, struct buf *out)
{
    struct slice text = slice_of(body.p + part->at, part->len < most ? part->len : most);
    struct buf decoded;
    bool done;

    buf_init(&decoded, 2 * most);
    done = decode(part, text, &decoded) && add_utf8(part, buf_slice(&decoded), out);
    buf_free(&decoded);
    return done;
}
