/* SPDX-License-Identifier: BSD-2-Clause */
/* rewrite_degree - see rewrite_degree.h */

#include "mail/rewrite_degree.h"

#include "mail/base64.h"

#include <stdint.h>
#include <string.h>

static const char pgp_armour[] = "-----BEGIN PGP ";

/* An armour line begins a line, or in HTML follows a tag. */
static bool armoured(struct slice text)
{
    const char *end = text.p + text.len, *found = text.p;

    while (text.len && (found = memmem(found, (size_t)(end - found), pgp_armour, sizeof pgp_armour - 1))) {
        if (found == text.p || found[-1] == '\n' || found[-1] == '>')
            return true;
        found++;
    }
    return false;
}

/* False without memory. */
static bool part_armoured(const struct mime_part *part, struct slice body, bool *found)
{
    struct slice text = slice_of(body.p + part->at, part->len);
    struct buf decoded;

    *found = false;
    if (part->opaque || part->attachment || !slice_starts_i(slice_str(part->type), slice_str("text/")))
        return true;
    if (part->encoding != MIME_BASE64) {
        *found = armoured(text);
        return true;
    }
    buf_init(&decoded, SIZE_MAX / 4);
    base64_decode(text, &decoded);
    *found = !decoded.failed && armoured(buf_slice(&decoded));
    text.len = decoded.failed;
    buf_free(&decoded);
    return text.len == 0;
}

/* The word for a mail whose whole body is sealed, or NULL. */
static const char *sealed_word(const struct mime_part *top)
{
    static const char *const types[] = {"multipart/signed", "multipart/encrypted", "multipart/report"};
    static const char *const words[] = {"signed", "encrypted", "report"};

    for (size_t at = 0; at < 3; at++)
        if (strcmp(top->type, types[at]) == 0)
            return words[at];
    return top->opaque && strcmp(top->opaque, "smime") == 0 ? "smime" : NULL;
}

bool rewrite_degree_judge(const struct header_list *headers, struct slice body, size_t body_limit, struct mime_tree *tree,
                          enum rewrite_degree *degree, const char **reason)
{
    bool found;

    *degree = REWRITE_NOTHING;
    *reason = "header_limit";
    *tree = (struct mime_tree){0};
    if (headers->failed)
        return true;
    *degree = REWRITE_HEADERS;
    *reason = "body_limit";
    if (body.len > body_limit)
        return true;
    if (!mime_scan(headers, body, tree))
        return false;
    *reason = sealed_word(&tree->part[0]);
    for (size_t at = 0; at < tree->count; at++) {
        if (tree->part[at].protected_headers &&
            !(tree->part[at].opaque && strcmp(tree->part[at].opaque, "message") == 0)) {
            *degree = REWRITE_NOTHING;
            *reason = "protected_headers";
            return true;
        }
        if (!part_armoured(&tree->part[at], body, &found))
            return false;
        if (found && !*reason)
            *reason = "inline_pgp";
    }
    if (!*reason)
        *degree = REWRITE_BODY;
    return true;
}

enum rewrite_degree rewrite_degree_of(const struct header_list *headers, struct slice body, size_t body_limit,
                                      const char **reason)
{
    struct mime_tree tree;
    enum rewrite_degree degree;

    if (!rewrite_degree_judge(headers, body, body_limit, &tree, &degree, reason)) {
        degree = REWRITE_HEADERS;
        *reason = "no_memory";
    }
    mime_tree_free(&tree);
    return degree;
}
