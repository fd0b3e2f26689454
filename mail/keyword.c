/* SPDX-License-Identifier: BSD-2-Clause */
/* keyword - see keyword.h */

#include "mail/keyword.h"

struct slice keyword_of(const char *value)
{
    struct slice rest = slice_trim(slice_str(value ? value : ""));
    size_t len = 0;

    while (rest.len && rest.p[0] == '(') {
        const char *close = memchr(rest.p, ')', rest.len);
        rest = slice_trim(slice_from(rest, close ? (size_t)(close - rest.p) + 1 : rest.len));
    }
    while (len < rest.len && !ascii_is_space(rest.p[len]) && rest.p[len] != ';' && rest.p[len] != '(')
        len++;
    return slice_of(rest.p, len);
}
