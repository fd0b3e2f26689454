/* SPDX-License-Identifier: BSD-2-Clause */
/* delimiter - see delimiter.h */

#include "mail/delimiter.h"

/* Begins TEXT as a delimiter does? Readers compare no more than its boundary. */
static bool is_delimiter(const struct mime_tree *tree, struct slice text)
{
    if (text.len < 3 || text.p[0] != '-' || text.p[1] != '-')
        return false;
    for (size_t at = 0; at < tree->count; at++) {
        struct slice boundary = slice_str(tree->part[at].boundary ? tree->part[at].boundary : "");

        if (boundary.len && boundary.len <= text.len - 2 && memcmp(text.p + 2, boundary.p, boundary.len) == 0)
            return true;
    }
    return false;
}

static bool begins_line(struct slice text, size_t at)
{
    return at == 0 || text.p[at - 1] == '\n';
}

/* Looks at the lines of TEXT that begin at FROM or behind, before END. */
static bool any_delimiter(const struct mime_tree *tree, struct slice text, size_t from, size_t end)
{
    const char *newline;

    if (from < end && begins_line(text, from) && is_delimiter(tree, slice_from(text, from)))
        return true;
    while (from < end && (newline = memchr(text.p + from, '\n', end - from))) {
        from = (size_t)(newline - text.p) + 1;
        if (from < end && is_delimiter(tree, slice_from(text, from)))
            return true;
    }
    return false;
}

bool delimiter_arises(const struct mime_tree *tree, struct slice body, const struct rewrite_result *result)
{
    struct slice text = buf_slice(&result->body);
    size_t seen = 0; /* the end of the edit before; the line there, if it began before, has been looked at */

    for (size_t n = 0; n < result->edits; n++) {
        const struct rewrite_edit *edit = &result->edit[n];
        const char *newline = memrchr(text.p + seen, '\n', edit->new_at - seen);
        size_t from = newline ? (size_t)(newline - text.p) + 1 : seen, end = edit->new_at + edit->added;
        bool goes_on = begins_line(body, edit->at + edit->removed); /* what is behind it begins a line as before */

        if (any_delimiter(tree, text, from, goes_on ? end : end + 1))
            return true;
        seen = end;
    }
    return false;
}
