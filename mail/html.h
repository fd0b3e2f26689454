/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * html - a tokenizer after the WHATWG's tokenization states, as far as splicing into mail needs them.
 *
 * Gives tags and runs of text with their offsets; comments, doctypes and the insides of style, script and
 * the like are skipped. It also keeps account of template, svg and math, where a browser makes no links.
 * Linear in the input, no recursion, no allocation. Character references are left as they are.
 */
#ifndef MAIL_HTML_H
#define MAIL_HTML_H

#include "common/slice.h"

/* Deeper changes between HTML and foreign content than any page has; beyond it nothing is live any more. */
enum { HTML_SCOPES_MAX = 32, HTML_NAME_MAX = 24 };

enum html_kind { HTML_END_OF_INPUT, HTML_TEXT, HTML_START_TAG, HTML_END_TAG };

struct html_token {
    enum html_kind kind;
    size_t at, end;
    char name[HTML_NAME_MAX + 1]; /* of a tag, in lower case; cut when longer, which no known name is */
    size_t attributes;            /* where they begin */
    bool live;                    /* in HTML proper: not in template, svg or math */
};

struct html_attribute {
    struct slice name, value; /* value without quotes; empty when there is none */
    size_t at, end;           /* of the whole, from the name to behind the closing quote */
    size_t value_at;
    char quote;               /* '"', '\'' or 0 */
    bool has_value;
};

struct html_scope {
    int kind;
    size_t depth;
    char name[HTML_NAME_MAX + 1]; /* of the element that leads back to HTML inside svg or math */
};

struct html_scanner {
    struct slice text;
    size_t at;
    struct html_scope scope[HTML_SCOPES_MAX];
    size_t scopes;
    bool lost;           /* scopes overflowed */
    const char *raw_end; /* in style and its kin: the name that ends it */
    size_t raw_at;       /* where its start tag began */
    bool plaintext;
    size_t whole;        /* once the input has ended: where unfinished markup began that swallows the rest, or the end */
};

void html_scanner_init(struct html_scanner *scanner, struct slice text);
bool html_next(struct html_scanner *scanner, struct html_token *token);

/* The attribute at *AT, which begins as token->attributes; a name twice is given twice (a browser takes the first). */
bool html_next_attribute(const struct html_scanner *scanner, const struct html_token *token, size_t *at,
                         struct html_attribute *attribute);

#endif
