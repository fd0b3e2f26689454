/* SPDX-License-Identifier: BSD-2-Clause */
/* html - see html.h */

#include "mail/html.h"

#include <stdio.h>

enum scope_kind { SCOPE_TEMPLATE, SCOPE_SVG, SCOPE_MATH, SCOPE_INTEGRATION };

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static bool ends_name(char c)
{
    return is_space(c) || c == '/' || c == '>';
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

void html_scanner_init(struct html_scanner *scanner, struct slice text)
{
    *scanner = (struct html_scanner){.text = text, .whole = text.len};
}

static size_t find(struct slice text, size_t from, char c)
{
    const char *found = from < text.len ? memchr(text.p + from, c, text.len - from) : NULL;

    return found ? (size_t)(found - text.p) : text.len;
}

static size_t behind(struct slice text, size_t from, char c)
{
    size_t at = find(text, from, c);

    return at < text.len ? at + 1 : at;
}

static bool has_at(struct slice text, size_t at, const char *want)
{
    size_t len = strlen(want);

    return at <= text.len && len <= text.len - at && memcmp(text.p + at, want, len) == 0;
}

/* NAME in any case and then a character that ends it. */
static bool has_name_at(struct slice text, size_t at, const char *name)
{
    size_t len = strlen(name);

    return at < text.len && len < text.len - at &&
           slice_starts_i(slice_of(text.p + at, text.len - at), slice_of(name, len)) && ends_name(text.p[at + len]);
}

/* Behind the comment whose "<!--" stands at AT: "-->" and "--!>", and the short forms "<!-->" and "<!--->". */
static size_t comment_end(struct slice text, size_t at)
{
    for (size_t close = find(text, at + 4, '>'); close < text.len; close = find(text, close + 1, '>')) {
        if (memcmp(text.p + close - 2, "--", 2) == 0)
            return close + 1;
        if (close >= at + 7 && memcmp(text.p + close - 3, "--!", 3) == 0)
            return close + 1;
    }
    return text.len;
}

static size_t cdata_end(struct slice text, size_t at)
{
    for (size_t close = find(text, at + 9, '>'); close < text.len; close = find(text, close + 1, '>'))
        if (close >= at + 11 && memcmp(text.p + close - 2, "]]", 2) == 0)
            return close + 1;
    return text.len;
}

/* Where the end tag of a raw text element begins. */
static size_t raw_text_end(struct slice text, size_t at, const char *name)
{
    for (at = find(text, at, '<'); at < text.len; at = find(text, at + 1, '<'))
        if (has_at(text, at, "</") && has_name_at(text, at + 2, name))
            return at;
    return text.len;
}

/*
 * The same for script, whose "<!--" hides an end tag once a further "<script" stands in it. A "-->" may use
 * the dashes of the "<!--" that began it.
 */
static size_t script_end(struct slice text, size_t at)
{
    bool escaped = false, doubly = false;

    for (; at < text.len; at++) {
        if (text.p[at] == '<') {
            if (!escaped && has_at(text, at, "<!--")) {
                escaped = true;
                at++; /* to the dashes */
            } else if (has_at(text, at, "</") && has_name_at(text, at + 2, "script")) {
                if (!doubly)
                    return at;
                doubly = false;
            } else if (escaped && !doubly && has_name_at(text, at + 1, "script")) {
                doubly = true;
            }
        } else if (escaped && has_at(text, at, "-->")) {
            escaped = doubly = false;
            at += 2;
        } else if (!escaped) {
            at = find(text, at, '<') - 1;
        }
    }
    return text.len;
}

static struct html_scope *top(struct html_scanner *scanner)
{
    return scanner->scopes ? &scanner->scope[scanner->scopes - 1] : NULL;
}

static bool in_foreign(const struct html_scanner *scanner)
{
    int kind;

    if (!scanner->scopes)
        return false;
    kind = scanner->scope[scanner->scopes - 1].kind;
    return kind == SCOPE_SVG || kind == SCOPE_MATH;
}

/* What stands at AT, where a tag does not begin: comment, doctype, CDATA, or a mere "<". Its end. */
static size_t markup_end(const struct html_scanner *scanner, size_t at)
{
    struct slice text = scanner->text;

    if (has_at(text, at, "<!--"))
        return comment_end(text, at);
    if (has_at(text, at, "<![CDATA[") && in_foreign(scanner))
        return cdata_end(text, at);
    return behind(text, at, '>');
}

/* Reads the attribute at *AT. False at the end of the tag or of the input. */
static bool read_attribute(struct slice text, size_t *at, struct html_attribute *attribute)
{
    size_t i = *at, start;

    while (i < text.len && (is_space(text.p[i]) || text.p[i] == '/'))
        i++;
    *at = i;
    if (i >= text.len || text.p[i] == '>')
        return false;
    *attribute = (struct html_attribute){.at = i};
    for (i++; i < text.len && !ends_name(text.p[i]) && text.p[i] != '='; i++)
        ;
    attribute->name = slice_of(text.p + *at, i - *at);
    attribute->end = i;
    while (i < text.len && is_space(text.p[i]))
        i++;
    *at = i;
    if (i >= text.len || text.p[i] != '=')
        return true;
    for (i++; i < text.len && is_space(text.p[i]); i++)
        ;
    attribute->has_value = true;
    attribute->value_at = i;
    if (i < text.len && (text.p[i] == '"' || text.p[i] == '\'')) {
        attribute->quote = text.p[i];
        attribute->value_at = ++i;
        i = find(text, i, attribute->quote);
        attribute->end = i < text.len ? i + 1 : i;
    } else {
        for (start = i; i < text.len && !is_space(text.p[i]) && text.p[i] != '>'; i++)
            ;
        attribute->end = i > start ? i : attribute->end;
    }
    attribute->value = slice_of(text.p + attribute->value_at, i - attribute->value_at);
    *at = attribute->end > i ? attribute->end : i;
    return true;
}

/* The tag at AT, whose name begins at NAME. False when the input ends inside it: then there is no tag. */
static bool read_tag(struct html_scanner *scanner, size_t at, size_t name, struct html_token *token)
{
    struct slice text = scanner->text;
    struct html_attribute attribute;
    size_t i = name, len = 0;

    token->at = at;
    for (; i < text.len && !ends_name(text.p[i]); i++)
        if (len < HTML_NAME_MAX)
            token->name[len++] = ascii_lower(text.p[i]);
    token->name[len] = '\0';
    token->attributes = i;
    while (read_attribute(text, &i, &attribute))
        ;
    token->end = i < text.len ? i + 1 : i;
    return i < text.len;
}

static void push(struct html_scanner *scanner, int kind, const char *name)
{
    struct html_scope *scope = top(scanner);

    if (scope && scope->kind == kind && kind != SCOPE_INTEGRATION) {
        scope->depth++;
        return;
    }
    if (scanner->scopes == HTML_SCOPES_MAX) {
        scanner->lost = true;
        return;
    }
    scope = &scanner->scope[scanner->scopes++];
    scope->kind = kind;
    scope->depth = 1;
    snprintf(scope->name, sizeof scope->name, "%s", name);
}

/* Start tags that end svg and math wherever they stand (WHATWG 13.2.6.5). */
static const char *const breakouts[] = {
    "b", "big", "blockquote", "body", "br", "center", "code", "dd", "div", "dl", "dt", "em", "embed",
    "h1", "h2", "h3", "h4", "h5", "h6", "head", "hr", "i", "img", "li", "listing", "menu", "meta", "nobr", "ol",
    "p", "pre", "ruby", "s", "small", "span", "strong", "strike", "sub", "sup", "table", "tt", "u", "ul", "var", NULL};
static const char *const svg_integrations[] = {"foreignobject", "desc", "title", NULL};
static const char *const math_integrations[] = {"mi", "mo", "mn", "ms", "mtext", "annotation-xml", NULL};
static const char *const raw_text[] = {"style", "xmp", "iframe", "noembed", "noframes", "script", "title", "textarea", NULL};

static void leave_foreign(struct html_scanner *scanner)
{
    while (in_foreign(scanner))
        scanner->scopes--;
}

static void start_in_foreign(struct html_scanner *scanner, const struct html_token *token, bool empty)
{
    int kind = top(scanner)->kind;

    if (empty)
        return;
    if ((kind == SCOPE_SVG && strcmp(token->name, "svg") == 0) || (kind == SCOPE_MATH && strcmp(token->name, "math") == 0))
        push(scanner, kind, token->name);
    else if (is_one_of(token->name, kind == SCOPE_SVG ? svg_integrations : math_integrations))
        push(scanner, SCOPE_INTEGRATION, token->name);
}

static void start_in_html(struct html_scanner *scanner, const struct html_token *token, bool empty)
{
    size_t at;

    for (at = 0; raw_text[at] && strcmp(token->name, raw_text[at]) != 0; at++)
        ;
    if (raw_text[at]) {
        scanner->raw_end = raw_text[at];
        scanner->raw_at = token->at;
    } else if (strcmp(token->name, "plaintext") == 0) {
        scanner->plaintext = true;
        scanner->whole = token->at;
    } else if (strcmp(token->name, "template") == 0) {
        push(scanner, SCOPE_TEMPLATE, token->name);
    } else if (!empty && strcmp(token->name, "svg") == 0) {
        push(scanner, SCOPE_SVG, token->name);
    } else if (!empty && strcmp(token->name, "math") == 0) {
        push(scanner, SCOPE_MATH, token->name);
    }
}

static void account_start(struct html_scanner *scanner, const struct html_token *token)
{
    bool empty = scanner->text.p[token->end - 2] == '/';

    if (in_foreign(scanner) && is_one_of(token->name, breakouts))
        leave_foreign(scanner);
    if (in_foreign(scanner))
        start_in_foreign(scanner, token, empty);
    else
        start_in_html(scanner, token, empty);
}

static void account_end(struct html_scanner *scanner, const struct html_token *token)
{
    struct html_scope *scope = top(scanner);

    if (scope && in_foreign(scanner) && (strcmp(token->name, "p") == 0 || strcmp(token->name, "br") == 0))
        leave_foreign(scanner);
    else if (scope && strcmp(scope->name, token->name) == 0 && --scope->depth == 0)
        scanner->scopes--;
}

static void account(struct html_scanner *scanner, struct html_token *token)
{
    if (token->kind == HTML_START_TAG)
        account_start(scanner, token);
    token->live = !scanner->scopes && !scanner->lost;
    if (token->kind == HTML_END_TAG)
        account_end(scanner, token);
}

/* The inside of style, script, title and so on: passed over, up to the end tag. */
static void skip_raw_text(struct html_scanner *scanner)
{
    if (strcmp(scanner->raw_end, "script") == 0)
        scanner->at = script_end(scanner->text, scanner->at);
    else
        scanner->at = raw_text_end(scanner->text, scanner->at, scanner->raw_end);
    scanner->raw_end = NULL;
    if (scanner->at >= scanner->text.len)
        scanner->whole = scanner->raw_at;
}

static bool give_text(struct html_scanner *scanner, struct html_token *token, size_t end)
{
    token->kind = HTML_TEXT;
    token->at = scanner->at;
    token->end = end;
    token->name[0] = '\0';
    token->live = !scanner->scopes && !scanner->lost;
    scanner->at = end;
    return true;
}

/* What begins with the "<" at AT. True when it is a tag, and TOKEN tells which. */
static bool take_markup(struct html_scanner *scanner, size_t at, struct html_token *token)
{
    struct slice text = scanner->text;
    bool closing = has_at(text, at, "</");
    size_t name = at + 1 + closing;

    if (name >= text.len || !ascii_is_alpha(text.p[name])) {
        scanner->at = markup_end(scanner, at);
        if (scanner->at >= text.len && text.p[text.len - 1] != '>')
            scanner->whole = at;
        return false;
    }
    token->kind = closing ? HTML_END_TAG : HTML_START_TAG;
    if (!read_tag(scanner, at, name, token)) {
        scanner->at = text.len;
        scanner->whole = at;
        return false;
    }
    scanner->at = token->end;
    account(scanner, token);
    return true;
}

static bool begins_markup(char c)
{
    return ascii_is_alpha(c) || c == '/' || c == '!' || c == '?';
}

bool html_next(struct html_scanner *scanner, struct html_token *token)
{
    struct slice text = scanner->text;

    while (scanner->at < text.len && !scanner->plaintext) {
        size_t open;

        if (scanner->raw_end) {
            skip_raw_text(scanner);
            continue;
        }
        open = find(text, scanner->at, '<');
        /* a "<" that begins nothing is text */
        while (open + 1 < text.len && !begins_markup(text.p[open + 1]))
            open = find(text, open + 1, '<');
        if (open + 1 >= text.len)
            open = text.len;
        if (open > scanner->at)
            return give_text(scanner, token, open);
        if (take_markup(scanner, open, token))
            return true;
    }
    token->kind = HTML_END_OF_INPUT;
    return false;
}

bool html_next_attribute(const struct html_scanner *scanner, const struct html_token *token, size_t *at,
                         struct html_attribute *attribute)
{
    return read_attribute(slice_of(scanner->text.p, token->end), at, attribute);
}
