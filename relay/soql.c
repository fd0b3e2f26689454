/* SPDX-License-Identifier: BSD-2-Clause */
/* soql - see soql.h */

#include "relay/soql.h"

#include <strings.h>

void soql_add_literal(struct buf *out, const char *text)
{
    buf_add_char(out, '\'');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '\'' || c == '\\')
            buf_add_f(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7F)
            buf_add_f(out, "\\u%04X", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '\'');
}

static bool stands_before(const char *const *texts, size_t n)
{
    for (size_t at = 0; at < n; at++)
        if (strcasecmp(texts[at], texts[n]) == 0)
            return true;
    return false;
}

bool soql_add_in(struct buf *out, const char *const *texts, size_t count)
{
    bool first = true;

    buf_add_str(out, " IN (");
    for (size_t n = 0; n < count; n++) {
        if (!*texts[n] || stands_before(texts, n))
            continue;
        buf_add_str(out, first ? "" : ",");
        soql_add_literal(out, texts[n]);
        first = false;
    }
    return buf_add_char(out, ')') && !first && !out->failed;
}
