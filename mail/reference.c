/* SPDX-License-Identifier: BSD-2-Clause */
/* reference - see reference.h */

#include "mail/reference.h"

#include <stdint.h>

enum { NAME_LENGTH_MAX = 32, LAST_CODE_POINT = 0x10ffff };

struct named {
    const char *name;
    char byte;
};

/* Those that give an ASCII character. */
static const struct named names[] = {
    {"amp", '&'},      {"AMP", '&'},          {"lt", '<'},     {"LT", '<'},       {"gt", '>'},
    {"GT", '>'},       {"quot", '"'},         {"QUOT", '"'},   {"apos", '\''},    {"colon", ':'},
    {"sol", '/'},      {"period", '.'},       {"quest", '?'},  {"equals", '='},   {"num", '#'},
    {"percnt", '%'},   {"commat", '@'},       {"Tab", '\t'},   {"NewLine", '\n'}, {"lowbar", '_'},
    {"UnderBar", '_'}, {"lpar", '('},         {"rpar", ')'},   {"semi", ';'},     {"plus", '+'},
    {"comma", ','},    {"excl", '!'},         {"dollar", '$'}, {"ast", '*'},      {"midast", '*'},
    {"bsol", '\\'},    {"lsqb", '['},         {"lbrack", '['}, {"rsqb", ']'},     {"rbrack", ']'},
    {"lcub", '{'},     {"lbrace", '{'},       {"rcub", '}'},   {"rbrace", '}'},   {"verbar", '|'},
    {"vert", '|'},     {"VerticalLine", '|'}, {"Hat", '^'},    {"grave", '`'},    {"DiacriticalGrave", '`'},
};

/* Names that need no semicolon, beyond amp, lt, gt and quot; each gives a character outside ASCII. */
static const char bare_names[] = " AElig Aacute Acirc Agrave Aring Atilde Auml COPY Ccedil ETH Eacute Ecirc "
                                 "Egrave Euml Iacute Icirc Igrave Iuml"
                                 " Ntilde Oacute Ocirc Ograve Oslash Otilde Ouml REG THORN Uacute Ucirc "
                                 "Ugrave Uuml Yacute aacute acirc acute aelig"
                                 " agrave aring atilde auml brvbar ccedil cedil cent copy curren deg divide "
                                 "eacute ecirc egrave eth euml frac12"
                                 " frac14 frac34 iacute icirc iexcl igrave iquest iuml laquo macr micro "
                                 "middot nbsp not ntilde oacute ocirc ograve"
                                 " ordf ordm oslash otilde ouml para plusmn pound raquo reg sect shy sup1 "
                                 "sup2 sup3 szlig thorn times uacute ucirc"
                                 " ugrave uml uuml yacute yen yuml ";

static bool is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

bool reference_add_utf8(uint32_t code, struct buf *out)
{
    if (code == 0 || code > LAST_CODE_POINT || (code >= 0xd800 && code <= 0xdfff))
        code = 0xfffd;
    if (code < 0x80) {
        buf_add_char(out, (char)code);
    } else if (code < 0x800) {
        buf_add_char(out, (char)(0xc0 | code >> 6));
        buf_add_char(out, (char)(0x80 | (code & 63)));
    } else if (code < 0x10000) {
        buf_add_char(out, (char)(0xe0 | code >> 12));
        buf_add_char(out, (char)(0x80 | (code >> 6 & 63)));
        buf_add_char(out, (char)(0x80 | (code & 63)));
    } else {
        buf_add_char(out, (char)(0xf0 | code >> 18));
        buf_add_char(out, (char)(0x80 | (code >> 12 & 63)));
        buf_add_char(out, (char)(0x80 | (code >> 6 & 63)));
        buf_add_char(out, (char)(0x80 | (code & 63)));
    }
    return !out->failed;
}

/* "&#..." at the start of TEXT. Returns its length, 0 when it is none. */
static size_t decode_numeric(struct slice text, struct buf *out)
{
    bool hex = text.len > 2 && ascii_lower(text.p[2]) == 'x';
    size_t start = hex ? 3 : 2, at = start;
    uint32_t code = 0;

    for (; at < text.len; at++) {
        int digit = ascii_hex_value(text.p[at]);

        if (digit < 0 || (!hex && digit > 9))
            break;
        if (code <= LAST_CODE_POINT)
            code = code * (hex ? 16 : 10) + (uint32_t)digit;
    }
    if (at == start)
        return 0;
    reference_add_utf8(code, out);
    return at < text.len && text.p[at] == ';' ? at + 1 : at;
}

static bool is_bare_name(struct slice name)
{
    char padded[NAME_LENGTH_MAX + 3];

    padded[0] = ' ';
    memcpy(padded + 1, name.p, name.len);
    memcpy(padded + 1 + name.len, " ", 2);
    return strstr(bare_names, padded) != NULL;
}

/* "&name" at the start of TEXT. Returns its length, 0 when it stands for itself. */
static size_t decode_named(struct slice text, struct buf *out, bool *foreign)
{
    struct slice name = {text.p + 1, 0};
    bool closed, bare;
    char after;

    while (name.len + 1 < text.len && name.len <= NAME_LENGTH_MAX && is_alnum(name.p[name.len]))
        name.len++;
    if (name.len == 0 || name.len > NAME_LENGTH_MAX)
        return 0;
    after = name.len + 1 < text.len ? name.p[name.len] : '\0';
    closed = after == ';';
    /* without a semicolon only the oldest names count, and not before "=": "?a=1&copy=2" is a query */
    bare = !closed && after != '=' && (name.len == 2 || name.len == 3 || name.len == 4);
    for (size_t at = 0; at < sizeof names / sizeof names[0]; at++)
        if (slice_is(name, names[at].name) && (closed || (bare && at < 8))) {
            buf_add_char(out, names[at].byte);
            return name.len + 1 + closed;
        }
    if (closed || (after != '=' && is_bare_name(name)))
        *foreign = true;
    return 0;
}

bool reference_decode(struct slice value, struct buf *out, bool *foreign)
{
    size_t at = 0, len;

    while (at < value.len) {
        const char *mark = memchr(value.p + at, '&', value.len - at);
        size_t plain = mark ? (size_t)(mark - value.p) - at : value.len - at;
        struct slice rest;

        buf_add(out, value.p + at, plain);
        at += plain;
        if (at == value.len)
            break;
        rest = slice_from(value, at);
        len = rest.len > 1 && rest.p[1] == '#' ? decode_numeric(rest, out) : decode_named(rest, out, foreign);
        if (len == 0)
            buf_add_char(out, '&');
        at += len ? len : 1;
    }
    return !out->failed;
}

bool reference_escape(struct slice text, char quote, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++) {
        char c = text.p[at];

        if (c == '&')
            buf_add_str(out, "&amp;");
        else if (c == '<' || c == '>' || c == quote || (!quote && strchr("\"'`=", c)))
            buf_add_f(out, "&#%d;", c);
        else
            buf_add_char(out, c);
    }
    return !out->failed;
}
