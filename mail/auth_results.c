/* SPDX-License-Identifier: BSD-2-Clause */
/* auth_results - see auth_results.h */

#include "mail/auth_results.h"

#include <strings.h>

struct found {
    bool ours;
    bool dmarc;
    bool pass;
};

static struct slice next_word(struct slice *rest)
{
    struct slice word;
    size_t len = 0;

    *rest = slice_trim(*rest);
    while (len < rest->len && !ascii_is_space(rest->p[len]) && rest->p[len] != ';' && rest->p[len] != '(')
        len++;
    word = slice_of(rest->p, len);
    *rest = slice_from(*rest, len);
    return word;
}

/*
 * Up to the ";" that ends a result. One in a quoted string or comment ends none (RFC 8601 2.2): the sender's address stands in
 * the field too, and its local part is whatever the sender likes.
 */
static size_t result_length(struct slice text)
{
    size_t depth = 0, at;
    bool quoted = false;

    for (at = 0; at < text.len && (quoted || depth || text.p[at] != ';'); at++) {
        char c = text.p[at];

        if (c == '\\' && (quoted || depth))
            at++;
        else if (c == '"' && !depth)
            quoted = !quoted;
        else if (c == '(' && !quoted)
            depth++;
        else if (c == ')' && depth)
            depth--;
    }
    return at < text.len ? at : text.len;
}

/* "dkim=pass header.d=example.net": the method and its result; what follows are reasons and properties. */
static void read_result(struct slice text, struct found *found)
{
    struct slice word = next_word(&text);

    if (slice_is_i(word, "dmarc=pass")) {
        found->dmarc = found->pass = true;
    } else if (slice_starts_i(word, slice_str("dmarc="))) {
        if (!slice_is_i(word, "dmarc=none")) {
            found->dmarc = true;
            found->pass = false;
        }
    } else if (!found->dmarc && (slice_is_i(word, "dkim=pass") || slice_is_i(word, "spf=pass"))) {
        found->pass = true;
    }
}

static void read_field(struct slice value, const char *authserv_id, struct found *found)
{
    if (!slice_is_i(next_word(&value), authserv_id))
        return;
    found->ours = true;
    while (value.len) {
        size_t len = result_length(value);

        read_result(slice_of(value.p, len), found);
        value = slice_from(value, len + 1);
    }
}

enum auth_results auth_results_read(const struct header_list *headers, const char *authserv_id)
{
    struct found found = {.ours = false};

    for (size_t at = 0; authserv_id[0] && at < headers->count; at++)
        if (strcasecmp(headers->field[at].name, "Authentication-Results") == 0)
            read_field(slice_str(headers->field[at].value), authserv_id, &found);
    if (!found.ours)
        return AUTH_RESULTS_NONE;
    return found.pass ? AUTH_RESULTS_PASS : AUTH_RESULTS_FAIL;
}
