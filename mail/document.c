/* SPDX-License-Identifier: BSD-2-Clause */
/* document - see document.h */

#include "mail/document.h"
#include "common/utf8.h"
#include "mail/base64.h"
#include "mail/qp.h"

#include <stdlib.h>

/* --- names ------------------------------------------------------------------------------------------------ */

/* Behind the last slash of either kind: a program may give the whole path. */
static struct slice last_piece(struct slice name)
{
    for (size_t at = name.len; at-- > 0;)
        if (name.p[at] == '/' || name.p[at] == '\\')
            return slice_from(name, at + 1);
    return name;
}

/*
 * Invisible characters that show the rest of a name in another order, U+061C, U+200E/F, U+202A to E, U+2066 to 9, or on
 * another line, U+2028/9; and controls, U+0080 to 9F.
 */
static bool moves_text(struct slice character)
{
    unsigned char last = (unsigned char)character.p[character.len - 1];

    if (character.len == 2)
        return memcmp(character.p, "\xd8\x9c", 2) == 0 || (*character.p == '\xc2' && last < 0xa0);
    if (character.len != 3)
        return false;
    if (memcmp(character.p, "\xe2\x80", 2) == 0)
        return last == 0x8e || last == 0x8f || (last >= 0xa8 && last <= 0xae);
    return memcmp(character.p, "\xe2\x81", 2) == 0 && last >= 0xa6 && last <= 0xa9;
}

/* How many bytes of TEXT are whole characters, MOST at most. */
static size_t cut(struct slice text, size_t most)
{
    size_t len = text.len < most ? text.len : most;

    while (len && len < text.len && ((unsigned char)text.p[len] & 0xC0) == 0x80)
        len--;
    return len;
}

static struct slice ending_of(struct slice name)
{
    const char *dot = name.len ? memrchr(name.p, '.', name.len) : NULL;

    return dot ? slice_from(name, (size_t)(dot - name.p) + 1) : slice_str("");
}

static void clean_name(struct slice given, struct buf *out)
{
    while (given.len) {
        size_t len = utf8_character(given);
        struct slice character = slice_of(given.p, len ? len : 1);

        given = slice_from(given, character.len);
        if (len == 0)
            buf_add_char(out, '_');
        else if (len > 1 ? !moves_text(character) : (unsigned char)*character.p >= ' ' && *character.p != 0x7f)
            buf_add_slice(out, character);
    }
}

/* A name that is too long loses what stands before its ending. */
static void shorten(struct slice clean, char name[DOCUMENT_NAME_MAX + 1])
{
    struct slice ending = ending_of(clean);
    size_t kept = clean.len <= DOCUMENT_NAME_MAX || ending.len > DOCUMENT_TYPE_MAX ? 0 : ending.len + 1;
    size_t len = cut(slice_of(clean.p, clean.len - kept), DOCUMENT_NAME_MAX - kept);

    memcpy(name, clean.p, len);
    memcpy(name + len, clean.p + clean.len - kept, kept);
    name[len + kept] = '\0';
}

void document_name(struct slice given, char name[DOCUMENT_NAME_MAX + 1])
{
    struct buf clean;

    buf_init(&clean, given.len + 1);
    clean_name(slice_trim(last_piece(given)), &clean);
    name[0] = '\0';
    if (clean.len)
        shorten(slice_trim(buf_slice(&clean)), name);
    buf_free(&clean);
}

bool document_name_fits(struct slice name, struct slice pattern)
{
    size_t at = 0, star = SIZE_MAX, from = 0, tried = 0;

    while (at < name.len) {
        char wanted = from < pattern.len ? pattern.p[from] : '\0';

        if (wanted == '*') {
            star = from++;
            tried = at;
        } else if (from < pattern.len && (wanted == '?' || ascii_lower(wanted) == ascii_lower(name.p[at]))) {
            from++;
            at++;
        } else if (star != SIZE_MAX) {
            from = star + 1;
            at = ++tried;
        } else {
            return false;
        }
    }
    while (from < pattern.len && pattern.p[from] == '*')
        from++;
    return from == pattern.len;
}

/* --- which files ------------------------------------------------------------------------------------------ */

static bool is_below(const struct mime_tree *tree, int index, int above)
{
    while (index != MIME_NO_PARENT && index != above)
        index = tree->part[index].parent;
    return index == above;
}

/* Is only one of the two shown? They are when the nearest multipart that holds both is no multipart/alternative. */
static bool are_alternatives(const struct mime_tree *tree, int one, int other)
{
    int above = tree->part[one].parent;

    while (above != MIME_NO_PARENT && !is_below(tree, other, above))
        above = tree->part[above].parent;
    return above != MIME_NO_PARENT && strcmp(tree->part[above].type, "multipart/alternative") == 0;
}

/* An invitation, an AMP page, rich text: what may be shown in place of the text or the page that would hold the link. */
static bool is_other_face(const struct mime_part *part, const char *parent)
{
    static const char *const others[] = {"text/plain", "text/html", "text/watch-html"};

    if (strcmp(part->type, "text/x-amp-html") == 0)
        return true;
    if (strcmp(part->type, "text/calendar") == 0)
        return strcmp(parent, "multipart/mixed") != 0;
    if (part->multipart || strcmp(parent, "multipart/alternative") != 0)
        return false;
    for (size_t at = 0; at < sizeof others / sizeof *others; at++)
        if (strcmp(part->type, others[at]) == 0)
            return false;
    return true;
}

/* Two pages of which one is shown are another face too, for the link is in the first. */
static bool has_other_face(const struct mime_tree *tree)
{
    int page = MIME_NO_PARENT;

    for (size_t at = 1; at < tree->count; at++) {
        const struct mime_part *part = &tree->part[at];

        if (is_other_face(part, tree->part[part->parent].type))
            return true;
        if (strcmp(part->type, "text/html") != 0 || part->attachment)
            continue;
        if (page != MIME_NO_PARENT && are_alternatives(tree, page, (int)at))
            return true;
        page = (int)at;
    }
    return false;
}

/* Is it what somebody has attached, and would the mail be whole without it? */
static bool is_attached(const struct mime_tree *tree, size_t index)
{
    static const char *const around[] = {"multipart/mixed", "multipart/alternative", "multipart/related"};
    const struct mime_part *part = &tree->part[index];
    int parent = part->parent;

    if (part->multipart || part->opaque || !part->name || !slice_starts_i(slice_str(part->type), slice_str("application/")))
        return false;
    if (part->len == 0)
        return false; /* and the next delimiter may begin right here */
    if (parent == MIME_NO_PARENT)
        return true;
    if (!part->next || strcmp(tree->part[parent].type, around[0]) != 0)
        return false;
    for (; parent != MIME_NO_PARENT; parent = tree->part[parent].parent) {
        const char *type = tree->part[parent].type;

        if (tree->part[parent].opaque || (tree->part[parent].parent != MIME_NO_PARENT && !tree->part[parent].next) ||
            (strcmp(type, around[0]) != 0 && strcmp(type, around[1]) != 0 && strcmp(type, around[2]) != 0))
            return false;
    }
    return true;
}

/* The type that the ending of NAME means, or NULL. */
static const char *type_of(struct slice name, const struct document_choice *choice)
{
    struct slice ending = ending_of(name);

    if (ending.len > DOCUMENT_TYPE_MAX || ending.len + 1 >= name.len)
        return NULL;
    for (size_t at = 0; at < choice->types; at++)
        if (slice_is_i(ending, choice->type[at]))
            return choice->type[at];
    return NULL;
}

/* How many bytes a base64 text of even lines holds, as all programs write it; what it is in truth is known when it is decoded. */
static uint64_t base64_bytes(struct slice text)
{
    struct base64_shape shape;
    size_t breaks, padding = 0;

    while (text.len && ascii_is_space(text.p[text.len - 1]))
        text.len--;
    if (!text.len)
        return 0;
    shape = base64_shape_of(text);
    breaks = memchr(text.p, '\n', text.len) ? text.len / (shape.line + shape.crlf + 1) * (shape.crlf + 1U) : 0;
    while (padding < 2 && padding < text.len && text.p[text.len - 1 - padding] == '=')
        padding++;
    return (text.len - breaks) / 4 * 3 - (text.len - breaks >= 4 ? padding : 0);
}

static bool is_asked_for(const struct document *document, const struct document_choice *choice)
{
    return document->bytes >= choice->smallest && document->bytes <= choice->largest &&
           choice->wanted(choice->arg, slice_str(document->name), document->bytes);
}

/* False without memory. */
static bool add(const struct mime_tree *tree, size_t index, struct slice body, const struct document_choice *choice,
                struct document_list *list)
{
    const struct mime_part *part = &tree->part[index];
    struct document *document = &list->item[list->count];
    const char *type;

    if (list->count == DOCUMENTS_MAX || !is_attached(tree, index))
        return true;
    *document = (struct document){.part = (unsigned)index,
                                  .at = part->at,
                                  .len = part->len,
                                  .encoding = part->encoding,
                                  .bytes = part->len};
    if (part->encoding == MIME_BASE64)
        document->bytes = base64_bytes(slice_of(body.p + part->at, part->len));
    document_name(slice_str(part->name), document->name);
    type = type_of(slice_str(document->name), choice);
    if (!type || !is_asked_for(document, choice))
        return true;
    memcpy(document->type, type, strlen(type) + 1);
    document->content_type = strdup(part->type);
    list->count += document->content_type != NULL;
    return document->content_type != NULL;
}

bool document_find(const struct header_list *headers, struct slice body, const struct document_choice *choice,
                   struct document_list *list)
{
    struct mime_tree tree;
    bool done;

    list->count = 0;
    done = mime_scan(headers, body, &tree);
    if (done && !has_other_face(&tree))
        for (size_t at = 0; done && at < tree.count; at++)
            done = add(&tree, at, body, choice, list);
    mime_tree_free(&tree);
    return done;
}

void document_list_free(struct document_list *list)
{
    for (size_t at = 0; at < list->count; at++)
        free(list->item[at].content_type);
    list->count = 0;
}

/* --- their bytes ------------------------------------------------------------------------------------------ */

bool document_decode(struct slice body, const struct document *document, struct buf *out)
{
    struct slice text = slice_of(body.p + document->at, document->len);
    struct qp_map map;
    bool done;

    switch (document->encoding) {
    case MIME_BASE64:
        return base64_decode(text, out);
    case MIME_QUOTED_PRINTABLE:
        done = qp_decode(text, out, &map);
        qp_map_free(&map);
        return done && out->len > 0;
    default:
        return buf_add_slice(out, text) && out->len > 0;
    }
}
