/* SPDX-License-Identifier: BSD-2-Clause */
/* header_params - Content-Type and its kin: value and parameters (RFC 2045 5.1, RFC 2231); see header.h */

#include "mail/charset.h"
#include "mail/header.h"

#include <stdio.h>
#include <stdlib.h>

enum { PARAMS_MAX = 64, NAME_BYTES_MAX = 80, TEXT_MAX = 64 * 1024 };

struct param {
    char *name; /* lower case, with the "*0*" of RFC 2231 as long as it is raw */
    char *text;
};

struct header_params {
    char *value;
    struct param raw[PARAMS_MAX];
    size_t raws;
    struct param param[PARAMS_MAX]; /* one a plain name, decoded */
    size_t params;
    bool doubtful;
};

static size_t skip_blank_and_comments(struct slice text, size_t at)
{
    size_t depth = 0;

    for (; at < text.len; at++) {
        if (text.p[at] == '(')
            depth++;
        else if (text.p[at] == ')' && depth)
            depth--;
        else if (text.p[at] == '\\' && depth)
            at++;
        else if (!depth && !ascii_is_space(text.p[at]))
            break;
    }
    return at < text.len ? at : text.len;
}

static bool ends_token(char c)
{
    return ascii_is_space(c) || strchr(";=\"(),", c) != NULL; /* NUL ends it too */
}

static char *lower_copy(struct slice text)
{
    char *copy = malloc(text.len + 1);

    if (!copy)
        return NULL;
    for (size_t at = 0; at < text.len; at++)
        copy[at] = ascii_lower(text.p[at]);
    copy[text.len] = '\0';
    return copy;
}

/* A quoted string's text; *AT stands on the opening quote and moves behind the closing one. */
static bool read_quoted(struct slice text, size_t *at, struct buf *out)
{
    for (++*at; *at < text.len; ++*at) {
        char c = text.p[*at];

        if (c == '"') {
            ++*at;
            return true;
        }
        if (c == '\\' && *at + 1 < text.len)
            c = text.p[++*at];
        if (c != '\r' && c != '\n') /* a fold inside the quotes */
            buf_add_char(out, c);
    }
    return false;
}

/* A token as a value: to the next ';' or blank; '=' and '/' inside are wrong but plain to read. */
static bool read_token(struct slice text, size_t *at, struct buf *out)
{
    size_t start = *at;

    while (*at < text.len && (!ends_token(text.p[*at]) || text.p[*at] == '=') && text.p[*at] != '\0')
        ++*at;
    buf_add(out, text.p + start, *at - start);
    return *at > start;
}

static bool keep_raw(struct header_params *params, struct slice name, struct buf *text)
{
    struct param *param = &params->raw[params->raws];

    if (params->raws == PARAMS_MAX || name.len > NAME_BYTES_MAX) {
        params->doubtful = true;
        buf_reset(text);
        return true;
    }
    *param = (struct param){lower_copy(name), buf_steal(text)};
    if (!param->name || !param->text) {
        free(param->name);
        free(param->text);
        return false;
    }
    for (size_t at = 0; at < params->raws; at++)
        if (strcmp(params->raw[at].name, param->name) == 0)
            params->doubtful = true;
    params->raws++;
    return true;
}

/* One parameter behind a ';'. False without memory. */
static bool read_param(struct header_params *params, struct slice value, size_t *at)
{
    size_t start = *at = skip_blank_and_comments(value, *at);
    struct slice name;
    struct buf text;
    bool kept = true;

    while (*at < value.len && !ends_token(value.p[*at]))
        ++*at;
    name = slice_of(value.p + start, *at - start);
    *at = skip_blank_and_comments(value, *at);
    if (slice_empty(name) && (*at == value.len || value.p[*at] == ';'))
        return true; /* a spare ';' */
    if (slice_empty(name) || *at == value.len || value.p[*at] != '=') {
        params->doubtful = true;
        return true;
    }
    *at = skip_blank_and_comments(value, *at + 1);
    buf_init(&text, TEXT_MAX);
    if (!(*at < value.len && value.p[*at] == '"' ? read_quoted(value, at, &text)
                                                 : read_token(value, at, &text)) ||
        text.failed)
        params->doubtful = true;
    else
        kept = keep_raw(params, name, &text);
    buf_free(&text);
    return kept;
}

static bool read_params(struct header_params *params, struct slice value, size_t at)
{
    while (at < value.len) {
        at = skip_blank_and_comments(value, at);
        if (at < value.len && value.p[at] != ';') {
            const char *next = memchr(value.p + at, ';', value.len - at);

            params->doubtful = true;
            at = next ? (size_t)(next - value.p) : value.len;
        }
        if (at < value.len) {
            at++;
            if (!read_param(params, value, &at))
                return false;
        }
    }
    return true;
}

static bool read_value(struct header_params *params, struct slice value, size_t *at)
{
    size_t start = *at = skip_blank_and_comments(value, 0);

    while (*at < value.len && !ends_token(value.p[*at]))
        ++*at;
    params->value = lower_copy(slice_of(value.p + start, *at - start));
    return params->value != NULL;
}

static const char *raw_text(const struct header_params *params, const char *name)
{
    for (size_t at = 0; at < params->raws; at++)
        if (strcmp(params->raw[at].name, name) == 0)
            return params->raw[at].text;
    return NULL;
}

static void add_percent_decoded(struct slice text, struct buf *out)
{
    for (size_t at = 0; at < text.len; at++) {
        int high = text.p[at] == '%' && at + 2 < text.len ? ascii_hex_value(text.p[at + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(text.p[at + 2]) : -1;

        buf_add_char(out, low >= 0 ? (char)(high * 16 + low) : text.p[at]);
        at += low >= 0 ? 2 : 0;
    }
}

/* charset'language' off the start of an extended value. */
static struct slice take_charset(struct slice *text)
{
    const char *first = memchr(text->p, '\'', text->len), *second;
    struct slice charset = {0};

    if (!first)
        return charset;
    second = memchr(first + 1, '\'', text->len - (size_t)(first + 1 - text->p));
    if (!second)
        return charset;
    charset = slice_of(text->p, (size_t)(first - text->p));
    *text = slice_from(*text, (size_t)(second - text->p) + 1);
    return charset;
}

static void add_in_utf8(struct slice charset, struct slice bytes, struct buf *out)
{
    if (slice_empty(charset) || !charset_to_utf8(charset, bytes, out))
        buf_add_slice(out, bytes);
}

/* name*0, name*1* and so on put together (RFC 2231 3 and 4.1). False when there is no first piece. */
static bool join_pieces(const struct header_params *params, const char *name, struct buf *out)
{
    struct slice charset = {0};
    char plain[NAME_BYTES_MAX + 8], extended[NAME_BYTES_MAX + 8];
    struct buf bytes;
    int piece = 0;

    buf_init(&bytes, TEXT_MAX);
    for (;; piece++) {
        struct slice text;
        bool encoded;

        snprintf(plain, sizeof plain, "%s*%d", name, piece);
        snprintf(extended, sizeof extended, "%s*%d*", name, piece);
        encoded = raw_text(params, extended) != NULL;
        text = slice_str(encoded ? raw_text(params, extended) : raw_text(params, plain));
        if (!text.p)
            break;
        if (encoded && piece == 0)
            charset = take_charset(&text);
        if (encoded)
            add_percent_decoded(text, &bytes);
        else
            buf_add_slice(&bytes, text);
    }
    if (piece)
        add_in_utf8(charset, buf_slice(&bytes), out);
    buf_free(&bytes);
    return piece > 0;
}

/* The value under a plain name: name* before name*0 before name. */
static void decode_one(const struct header_params *params, const char *name, struct buf *out)
{
    char extended[NAME_BYTES_MAX + 2];
    struct slice text, charset;
    struct buf bytes;

    snprintf(extended, sizeof extended, "%s*", name);
    text = slice_str(raw_text(params, extended));
    if (text.p) {
        charset = take_charset(&text);
        buf_init(&bytes, TEXT_MAX);
        add_percent_decoded(text, &bytes);
        add_in_utf8(charset, buf_slice(&bytes), out);
        buf_free(&bytes);
    } else if (!join_pieces(params, name, out)) {
        text = slice_str(raw_text(params, name));
        header_decode_words(text, out);
    }
}

static bool decode_params(struct header_params *params)
{
    for (size_t at = 0; at < params->raws; at++) {
        size_t len = strcspn(params->raw[at].name, "*");
        char *name = strndup(params->raw[at].name, len);
        struct buf text;

        if (!name)
            return false;
        if (header_params_get(params, name)) {
            free(name);
            continue;
        }
        buf_init(&text, TEXT_MAX * 4);
        decode_one(params, name, &text);
        params->param[params->params] = (struct param){name, buf_steal(&text)};
        buf_free(&text);
        if (!params->param[params->params++].text)
            return false;
    }
    return true;
}

struct header_params *header_params_new(struct slice value)
{
    struct header_params *params = calloc(1, sizeof *params);
    size_t at;

    if (!params)
        return NULL;
    if (!read_value(params, value, &at) || !read_params(params, value, at) || !decode_params(params)) {
        header_params_free(params);
        return NULL;
    }
    return params;
}

void header_params_free(struct header_params *params)
{
    if (!params)
        return;
    for (size_t at = 0; at < params->raws; at++) {
        free(params->raw[at].name);
        free(params->raw[at].text);
    }
    for (size_t at = 0; at < params->params; at++) {
        free(params->param[at].name);
        free(params->param[at].text);
    }
    free(params->value);
    free(params);
}

const char *header_params_value(const struct header_params *params)
{
    return params->value;
}

bool header_params_doubtful(const struct header_params *params)
{
    return params->doubtful;
}

const char *header_params_get(const struct header_params *params, const char *name)
{
    for (size_t at = 0; at < params->params; at++)
        if (slice_eq_i(slice_str(params->param[at].name), slice_str(name)))
            return params->param[at].text;
    return NULL;
}
