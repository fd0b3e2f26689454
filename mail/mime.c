/* SPDX-License-Identifier: BSD-2-Clause */
/* mime - see mime.h */

#include "mail/mime.h"

#include <stdlib.h>

enum { BOUNDARY_MAX = 200, FIRST_PARTS = 8 };

/* A multipart whose end has not been seen. */
struct open_multipart {
    int part;
    char boundary[BOUNDARY_MAX + 1];
    size_t len;
};

struct scan {
    struct slice body;
    struct mime_tree *tree;
    struct open_multipart open[MIME_DEPTH_MAX];
    size_t depth;
    int leaf; /* whose content ends at the next delimiter, or MIME_NO_PARENT in a preamble */
};

/* The fields of one part that matter, raw; more than one of a kind is counted. */
struct part_fields {
    struct slice type, encoding, disposition;
    unsigned types, encodings, dispositions;
};

static struct mime_part *add_part(struct mime_tree *tree)
{
    struct mime_part *part;
    size_t size;

    if (tree->count == tree->size) {
        size = tree->size ? tree->size * 2 : FIRST_PARTS;
        part = reallocarray(tree->part, size, sizeof *part);
        if (!part)
            return NULL;
        tree->part = part;
        tree->size = size;
    }
    part = &tree->part[tree->count++];
    *part = (struct mime_part){.parent = MIME_NO_PARENT};
    return part;
}

void mime_tree_free(struct mime_tree *tree)
{
    for (size_t at = 0; at < tree->count; at++) {
        free(tree->part[at].type);
        free(tree->part[at].charset);
        free(tree->part[at].boundary);
        free(tree->part[at].name);
    }
    free(tree->part);
    *tree = (struct mime_tree){0};
}

static void note_field(struct part_fields *fields, struct slice name, struct slice value)
{
    if (slice_is_i(name, "Content-Type")) {
        fields->type = value;
        fields->types++;
    } else if (slice_is_i(name, "Content-Transfer-Encoding")) {
        fields->encoding = value;
        fields->encodings++;
    } else if (slice_is_i(name, "Content-Disposition")) {
        fields->disposition = value;
        fields->dispositions++;
    }
}

/* Why the whole of what lies in such a multipart stays as it is, or NULL. */
static const char *sealed(const char *type)
{
    if (strcmp(type, "multipart/signed") == 0)
        return "signed";
    if (strcmp(type, "multipart/encrypted") == 0)
        return "encrypted";
    if (strcmp(type, "multipart/report") == 0)
        return "report";
    return NULL;
}

static const char *opaque_leaf(const char *type)
{
    if (strcmp(type, "application/pkcs7-mime") == 0 || strcmp(type, "application/x-pkcs7-mime") == 0)
        return "smime";
    if (slice_starts_i(slice_str(type), slice_str("message/")))
        return "message";
    return NULL;
}

static const char *read_encoding(const struct part_fields *fields, struct mime_part *part)
{
    struct slice name = slice_trim(fields->encoding);

    if (fields->encodings > 1)
        return "encoding";
    if (slice_is_i(name, "quoted-printable"))
        part->encoding = MIME_QUOTED_PRINTABLE;
    else if (slice_is_i(name, "base64"))
        part->encoding = MIME_BASE64;
    else if (fields->encodings && !slice_is_i(name, "7bit") && !slice_is_i(name, "8bit") &&
             !slice_is_i(name, "binary"))
        return "encoding";
    return NULL;
}

/* The name of a file: that of the disposition before that of the type. False without memory. */
static bool take_name(const char *name, struct mime_part *part)
{
    if (!name || !*name)
        return true;
    free(part->name);
    part->name = strdup(name);
    return part->name != NULL;
}

/* False without memory. A disposition that is not "inline" counts as attachment (RFC 2183 2.8). */
static bool read_disposition(const struct part_fields *fields, struct mime_part *part)
{
    struct header_params *params;
    bool done;

    if (fields->dispositions == 0)
        return true;
    params = header_params_new(fields->disposition);
    if (!params)
        return false;
    if (strcmp(header_params_value(params), "inline") != 0 || fields->dispositions > 1)
        part->attachment = true;
    if (part->parent != MIME_NO_PARENT && header_params_get(params, "filename"))
        part->attachment = true;
    done = take_name(header_params_get(params, "filename"), part);
    if (fields->dispositions > 1 || header_params_doubtful(params)) {
        free(part->name);
        part->name = NULL;
    }
    header_params_free(params);
    return done;
}

static bool boundary_in_use(const struct scan *scan, struct slice boundary)
{
    for (size_t at = 0; at < scan->depth; at++)
        if (slice_eq(slice_of(scan->open[at].boundary, scan->open[at].len), boundary))
            return true;
    return false;
}

/* Opens the multipart, so that its delimiters are looked for. Returns why not, or NULL. */
static const char *open_multipart(struct scan *scan, int index, const struct header_params *params)
{
    struct mime_part *part = &scan->tree->part[index];
    struct slice boundary = slice_str(header_params_get(params, "boundary"));
    struct open_multipart *open;

    while (boundary.len && boundary.p[boundary.len - 1] == ' ')
        boundary.len--; /* no line of a mail keeps them */
    if (slice_empty(boundary) || boundary.len > BOUNDARY_MAX || boundary_in_use(scan, boundary))
        return "boundary";
    if (part->encoding != MIME_IDENTITY)
        return "encoding";
    if (scan->depth == MIME_DEPTH_MAX)
        return "too_deep";
    open = &scan->open[scan->depth++];
    open->part = index;
    open->len = boundary.len;
    memcpy(open->boundary, boundary.p, boundary.len);
    part->boundary = strndup(boundary.p, boundary.len);
    part->multipart = true;
    return NULL;
}

static bool in_digest(const struct scan *scan, const struct mime_part *part)
{
    return part->parent != MIME_NO_PARENT &&
           strcmp(scan->tree->part[part->parent].type, "multipart/digest") == 0;
}

static struct slice type_field(const struct scan *scan, const struct mime_part *part,
                               const struct part_fields *fields)
{
    if (fields->types)
        return fields->type;
    return slice_str(in_digest(scan, part) ? "message/rfc822" : "text/plain");
}

static const char *judge_type(struct scan *scan, int index, const struct part_fields *fields,
                              const struct header_params *params)
{
    struct mime_part *part = &scan->tree->part[index];

    if (fields->types > 1 || header_params_doubtful(params) || !strchr(part->type, '/'))
        return "content_type";
    if (slice_starts_i(slice_str(part->type), slice_str("multipart/")))
        return open_multipart(scan, index, params);
    return opaque_leaf(part->type);
}

/* What the part at INDEX is. False without memory. */
static bool settle_part(struct scan *scan, int index, const struct part_fields *fields, bool clean)
{
    struct mime_part *part = &scan->tree->part[index];
    struct header_params *params = header_params_new(type_field(scan, part, fields));
    const char *inherited = NULL, *encoding, *doubt;
    bool done = false;

    if (!params)
        return false;
    if (part->parent != MIME_NO_PARENT) {
        const struct mime_part *parent = &scan->tree->part[part->parent];

        inherited = parent->opaque ? parent->opaque : sealed(parent->type);
        part->attachment = header_params_get(params, "name") != NULL || parent->attachment;
    }
    part->protected_headers =
        header_params_get(params, "hp") || header_params_get(params, "protected-headers");
    part->type = strdup(header_params_value(params));
    part->charset = strdup(header_params_get(params, "charset") ? header_params_get(params, "charset") : "");
    if (part->type && part->charset && take_name(header_params_get(params, "name"), part) &&
        read_disposition(fields, part)) {
        encoding = read_encoding(fields, part);
        doubt = judge_type(scan, index, fields, params);
        part->opaque = inherited ? inherited : !clean ? "header" : encoding ? encoding : doubt;
        if (!part->multipart)
            scan->leaf = index;
        done = !part->multipart || part->boundary;
    }
    header_params_free(params);
    return done;
}

/* Behind the line break that ends the line at AT. */
static size_t next_line(struct slice body, size_t at)
{
    const char *newline = memchr(body.p + at, '\n', body.len - at);

    return newline ? (size_t)(newline - body.p) + 1 : body.len;
}

/* Which open multipart the line at AT delimits, or -1; CLOSES when it is the last delimiter. */
static int delimiter_of(const struct scan *scan, size_t at, bool *closes)
{
    struct slice line;

    if (at + 2 >= scan->body.len || scan->body.p[at] != '-' || scan->body.p[at + 1] != '-')
        return -1;
    line = slice_of(scan->body.p + at + 2, next_line(scan->body, at) - at - 2);
    while (line.len && ascii_is_space(line.p[line.len - 1]))
        line.len--;
    for (size_t level = scan->depth; level-- > 0;) {
        const struct open_multipart *open = &scan->open[level];

        if ((line.len != open->len && line.len != open->len + 2) ||
            memcmp(line.p, open->boundary, open->len) != 0)
            continue;
        *closes = line.len > open->len;
        if (!*closes || memcmp(line.p + open->len, "--", 2) == 0)
            return (int)level;
    }
    return -1;
}

/* The content of a part ends before the delimiter at AT; the line break before it is the delimiter's. */
static void end_content(struct mime_part *part, struct slice body, size_t at)
{
    if (at > part->at && body.p[at - 1] == '\n') {
        at--;
        if (at > part->at && body.p[at - 1] == '\r')
            at--;
    }
    part->len = at - part->at;
}

/* All that was open inside the multipart at LEVEL ends at AT. */
static void end_inner(struct scan *scan, int level, size_t at)
{
    struct mime_part *leaf = scan->leaf != MIME_NO_PARENT ? &scan->tree->part[scan->leaf] : NULL;

    if (leaf) {
        end_content(leaf, scan->body, at);
        leaf->next = leaf->parent == scan->open[level].part ? at : 0;
    }
    scan->leaf = MIME_NO_PARENT;
    while (scan->depth > (size_t)level + 1)
        end_content(&scan->tree->part[scan->open[--scan->depth].part], scan->body, at);
}

static bool is_empty_line(struct slice line)
{
    return slice_is(line, "\n") || slice_is(line, "\r\n");
}

/* The end of the header block at AT: behind its empty line, or where a delimiter cuts it off (WHOLE is then
 * false). */
static size_t header_end(const struct scan *scan, size_t at, bool *whole)
{
    bool closes;

    for (*whole = false; at < scan->body.len && !*whole && delimiter_of(scan, at, &closes) < 0;) {
        size_t next = next_line(scan->body, at);

        *whole = is_empty_line(slice_of(scan->body.p + at, next - at));
        at = next;
    }
    return at;
}

/* A new part of the multipart at LEVEL with its delimiter at DELIMITER, whose header begins at *AT; *AT moves to its content. */
static bool begin_part(struct scan *scan, int level, size_t delimiter, size_t *at)
{
    bool whole;
    size_t start = *at, end = header_end(scan, start, &whole), read = 0;
    struct slice block = slice_of(scan->body.p + start, end - start);
    struct part_fields fields = {0};
    struct header_line line;
    struct mime_part *part = add_part(scan->tree);
    int index = (int)scan->tree->count - 1;

    if (!part)
        return false;
    part->begin = delimiter;
    part->header = start;
    part->at = end;
    part->len = scan->body.len - end;
    part->parent = scan->open[level].part;
    while (header_next(block, &read, &line))
        note_field(&fields, line.name, line.value);
    *at = end;
    return settle_part(scan, index, &fields, whole && line.clean);
}

static bool begin_body(struct scan *scan, const struct header_list *headers)
{
    struct part_fields fields = {0};
    struct mime_part *part = add_part(scan->tree);

    if (!part)
        return false;
    part->len = scan->body.len;
    for (size_t at = 0; at < headers->count; at++)
        note_field(&fields, slice_str(headers->field[at].name), slice_str(headers->field[at].value));
    return settle_part(scan, 0, &fields, true);
}

bool mime_scan(const struct header_list *headers, struct slice body, struct mime_tree *tree)
{
    struct scan scan = {.body = body, .tree = tree, .leaf = MIME_NO_PARENT};
    size_t at = 0;

    *tree = (struct mime_tree){0};
    if (!begin_body(&scan, headers))
        return false;
    while (scan.depth && at < body.len) {
        bool closes;
        int level = delimiter_of(&scan, at, &closes);
        size_t delimiter = at;

        if (level < 0) {
            at = next_line(body, at);
            continue;
        }
        end_inner(&scan, level, at);
        at = next_line(body, at);
        if (closes) {
            scan.leaf = scan.open[--scan.depth].part; /* its epilogue goes on to the next outer delimiter */
        } else if (tree->count == MIME_PARTS_MAX) {
            tree->part[scan.open[level].part].opaque = "too_many_parts";
            break;
        } else if (!begin_part(&scan, level, delimiter, &at)) {
            return false;
        }
    }
    return true;
}

int mime_first_shown(const struct mime_tree *tree, const char *type)
{
    for (size_t at = 0; at < tree->count; at++)
        if (strcmp(tree->part[at].type, type) == 0 && !tree->part[at].attachment)
            return (int)at;
    return MIME_NO_PARENT;
}
