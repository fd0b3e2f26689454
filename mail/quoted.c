/* SPDX-License-Identifier: BSD-2-Clause */
/* quoted - see quoted.h */

#include "mail/quoted.h"

#include <stdio.h>

enum { VALUE_MAX = 1000 }; /* bytes of an attribute that are looked at */

struct sign {
    const char *element;
    const char *attribute;
    const char *holds; /* what the value has in it */
    bool to_the_end;   /* the element only marks the place */
};

static const struct sign signs[] = {
    {"blockquote", "type", "cite", false},
    {"blockquote", "class", "quote", false},      /* Gmail, K-9, eM Client */
    {"blockquote", "id", "blockquote_zmail", false},
    {"div", "class", "gmail_quote", false},
    {"div", "class", "moz-cite-prefix", false},   /* Thunderbird: the line before its blockquote */
    {"div", "class", "moz-forward-container", false},
    {"div", "class", "yahoo_quoted", false},
    {"div", "id", "yahoo_quoted", false},
    {"div", "class", "protonmail_quote", false},
    {"div", "class", "tutanota_quote", false},
    {"div", "class", "zmail_extra", false},
    {"div", "name", "messageReplySection", false}, /* Spark */
    {"div", "name", "quote", false},               /* GMX, web.de */
    {"div", "id", "divRplyFwdMsg", true},          /* Outlook on the web and new Outlook */
    {"div", "id", "appendonsend", true},
    {"div", "id", "mail-editor-reference-message-container", true},
    {"div", "class", "OutlookMessageHeader", true},
    {"div", "style", "border-top:solid #e1e1e1", true}, /* Outlook 2013 and later */
    {"div", "style", "border-top:solid #b5c4df", true}, /* Outlook 2007 and 2010 */
    {"hr", "id", "stopSpelling", true},
    {"hr", "id", "zwchr", true},                   /* Zimbra */
};

static const struct sign *sign_with(const char *element, const struct html_attribute *attribute)
{
    struct slice value = attribute->value;

    if (value.len > VALUE_MAX)
        value.len = VALUE_MAX;
    for (size_t at = 0; at < sizeof signs / sizeof signs[0]; at++)
        if (strcmp(element, signs[at].element) == 0 && slice_is_i(attribute->name, signs[at].attribute) &&
            slice_find_i(value, signs[at].holds) != (size_t)-1)
            return &signs[at];
    return NULL;
}

static bool may_begin(const char *element)
{
    return strcmp(element, "div") == 0 || strcmp(element, "blockquote") == 0 || strcmp(element, "hr") == 0;
}

static const struct sign *sign_of(const struct html_scanner *scanner, const struct html_token *token)
{
    struct html_attribute attribute;
    size_t at = token->attributes;
    const struct sign *sign = NULL;

    while (!sign && html_next_attribute(scanner, token, &at, &attribute))
        sign = sign_with(token->name, &attribute);
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
    if (token->kind != HTML_START_TAG || !token->live || !may_begin(token->name))
        return false;
    sign = sign_of(scanner, token);
    if (!sign)
        return false;
    *quoted = (struct quoted){.inside = true, .to_the_end = sign->to_the_end, .depth = 1};
    snprintf(quoted->element, sizeof quoted->element, "%s", token->name);
    return true;
}
