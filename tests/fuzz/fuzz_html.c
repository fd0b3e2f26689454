/* SPDX-License-Identifier: BSD-2-Clause */
/* tokens and attributes lie in the text, one behind the other */

#include "mail/html.h"
#include "tests/support/rewrite_check.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_attributes(const struct html_scanner *scanner, const struct html_token *token)
{
    struct html_attribute attribute;
    size_t at = token->attributes, last = at;

    while (html_next_attribute(scanner, token, &at, &attribute)) {
        check_that(attribute.at >= last && attribute.end <= token->end, "an attribute lies in its tag");
        check_that(!attribute.has_value || attribute.value_at + attribute.value.len <= token->end,
                   "so does its value");
        last = attribute.end;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice_of((const char *)data, size);
    struct html_scanner scanner;
    struct html_token token;
    size_t last = 0;

    html_scanner_init(&scanner, text);
    while (html_next(&scanner, &token)) {
        check_that(token.at >= last && token.end > token.at && token.end <= size, "tokens go forward");
        last = token.end;
        if (token.kind == HTML_START_TAG)
            read_attributes(&scanner, &token);
    }
    check_that(scanner.whole <= size, "the whole part lies inside");
    return 0;
}
