/* SPDX-License-Identifier: BSD-2-Clause */
/* quoted - see quoted.h */

#include "mail/quoted.h"

#include <stdio.h>

enum { VALUE_MAX = 1000 }; /* bytes of an attribute that are looked at */

struct sign {
    struct slice element, attribute;
    const char *holds; /* what the value has in it */
    bool to_the_end;   /* the element only marks the place */
};

static const struct sign signs[] = {
    {SLICE_TEXT("blockquote"), SLICE_TEXT("type"), "cite", false},
    {SLICE_TEXT("blockquote"), SLICE_TEXT("class"), "quote", false}, /* Gmail, K-9, eM Client */
    {SLICE_TEXT("blockquote"), SLICE_TEXT("id"), "blockquote_zmail", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "gmail_quote", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "moz-cite-prefix",
     false}, /* Thunderbird: the line before its blockquote */
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "moz-forward-container", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "yahoo_quoted", false},
    {SLICE_TEXT("div"), SLICE_TEXT("id"), "yahoo_quoted", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "protonmail_quote", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "tutanota_quote", false},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "zmail_extra", false},
    {SLICE_TEXT("div"), SLICE_TEXT("name"), "messageReplySection", false}, /* Spark */
    {SLICE_TEXT("div"), SLICE_TEXT("name"), "quote", false},               /* GMX, web.de */
    {SLICE_TEXT("div"), SLICE_TEXT("id"), "divRplyFwdMsg", true}, /* Outlook on the web and new Outlook */
    {SLICE_TEXT("div"), SLICE_TEXT("id"), "appendonsend", true},
    {SLICE_TEXT("div"), SLICE_TEXT("id"), "mail-editor-reference-message-container", true},
    {SLICE_TEXT("div"), SLICE_TEXT("class"), "OutlookMessageHeader", true},
    {SLICE_TEXT("div"), SLICE_TEXT("style"), "border-top:solid #e1e1e1", true}, /* Outlook 2013 and later */
    {SLICE_TEXT("div"), SLICE_TEXT("style"), "border-top:solid #b5c4df", true}, /* Outlook 2007 and 2010 */
    {SLICE_TEXT("hr"), SLICE_TEXT("id"), "stopSpelling", true},
    {SLICE_TEXT("hr"), SLICE_TEXT("id"), "zwchr", true}, /* Zimbra */
};

static const struct sign *sign_with(struct slice element, const struct html_attribute *attribute)
{
    struct slice value = attribute->value;

    if (value.len > VALUE_MAX)
        value.len = VALUE_MAX;
    for (size_t at = 0; at < sizeof signs / sizeof signs[0]; at++)
        if (slice_eq_i(attribute->name, signs[at].attribute) && slice_eq(element, signs[at].element) &&
            slice_find_i(value, signs[at].holds) != (size_t)-1)
            return &signs[at];
    return NULL;
}

static bool may_begin(const struct html_token *token)
{
    return html_is(token, "div") || html_is(token, "blockquote") || html_is(token, "hr");
}

/* A bit for each attribute that may hold a sign; 0 for all others. */
static unsigned bit_of(struct slice name)
{
    static const struct slice names[] = {SLICE_TEXT("class"), SLICE_TEXT("id"), SLICE_TEXT("style"),
                                         SLICE_TEXT("name"), SLICE_TEXT("type")};

    for (unsigned at = 0; at < sizeof names / sizeof names[0]; at++)
        if (slice_eq_i(name, names[at]))
            return 1U << at;
    return 0;
}

/* Of attributes given twice the first counts, as in a browser; so a hostile tag cannot make this slow. */
static const struct sign *sign_of(const struct html_scanner *scanner, const struct html_token *token)
{
    struct html_attribute attribute;
    size_t at = token->attributes;
    const struct sign *sign = NULL;
    unsigned seen = 0;

    while (!sign && html_next_attribute(scanner, token, &at, &attribute)) {
        unsigned bit = bit_of(attribute.name);

        if (bit & ~seen)
            sign = sign_with(slice_of(token->name, token->name_len), &attribute);
        seen |= bit;
    }
    return sign;
}

static void follow(struct quoted *quoted, const struct html_token *token)
{
    if (quoted->to_the_end || strcmp(token->name, quoted->element) != 0)
        return;
    if (token->kind == HTML_START_TAG)
        quoted->depth++;
    else if (--quoted->depth == 0)
        quoted->inside = false;
}

bool quoted_step(struct quoted *quoted, const struct html_scanner *scanner, const struct html_token *token)
{
    const struct sign *sign;

    if (quoted->inside) {
        follow(quoted, token);
        return false;
    }
    if (token->kind != HTML_START_TAG || !token->live || !may_begin(token))
        return false;
    sign = sign_of(scanner, token);
    if (!sign)
        return false;
    *quoted = (struct quoted){.inside = true, .to_the_end = sign->to_the_end, .depth = 1};
    snprintf(quoted->element, sizeof quoted->element, "%s", token->name);
    return true;
}
