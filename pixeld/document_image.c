/* SPDX-License-Identifier: BSD-2-Clause */
/* document_image - the picture of a page, from memcached or PostgreSQL; see document_part.h */

#include "pixeld/document_part.h"
#include "pixeld/viewer.h"

#include <string.h>

enum { IMAGE_MAX = 16 * 1024 * 1024, TYPE_MAX = 64, KEY_MAX = 128, KEEP_S = 24 * 3600 };

static const char space[] = "page";

/* No other type is ever called a picture, whoever wrote it there. */
static const char *known_type(struct slice type)
{
    static const char *const types[] = {"image/webp", "image/png", "image/jpeg"};

    for (size_t n = 0; n < sizeof types / sizeof *types; n++)
        if (slice_is(type, types[n]))
            return types[n];
    return NULL;
}

/* TYPE and IMAGE are parted by a line feed there. */
static bool get_cached(struct cache *cache, struct slice key, struct buf *type, struct buf *image)
{
    struct buf value;
    size_t line;
    bool found;

    buf_init(&value, IMAGE_MAX);
    found = cache_get(cache, space, key, &value);
    line = slice_find_char(buf_slice(&value), '\n');
    found = found && line < value.len && buf_add(type, value.data, line) &&
            buf_add_slice(image, slice_from(buf_slice(&value), line + 1));
    buf_free(&value);
    return found;
}

static void set_cached(struct cache *cache, int64_t epoch, struct slice key, const struct buf *type, const struct buf *image)
{
    struct buf value;

    buf_init(&value, IMAGE_MAX);
    if (buf_add_slice(&value, buf_slice(type)) && buf_add_char(&value, '\n') && buf_add_slice(&value, buf_slice(image)))
        cache_set(cache, epoch, space, key, buf_slice(&value), KEEP_S);
    buf_free(&value);
}

static enum store_answer find(const struct document_request *document, const struct document_facts *facts, struct buf *type,
                              struct buf *image)
{
    int64_t epoch = cache_epoch(document->site->cache);
    enum store_answer answer = STORE_YES;
    struct buf key;

    buf_init(&key, KEY_MAX);
    buf_add_f(&key, "%s %s %d", facts->hash, facts->file_type, document->target.page);
    if (!get_cached(document->site->cache, buf_slice(&key), type, image)) {
        buf_reset(type);
        buf_reset(image);
        answer = store_find_image(document->db, document->link, document->target.page, image, type, DOCUMENT_QUESTION_MS);
        if (answer == STORE_YES)
            set_cached(document->site->cache, epoch, buf_slice(&key), type, image);
    }
    buf_free(&key);
    return answer;
}

static struct http_answer answer_with(const struct document_request *document, const char *type, struct buf *image)
{
    const struct http_header headers[] = {
        {"Content-Type", type},
        {"Cache-Control", "private, max-age=86400, immutable"},
        {"X-Content-Type-Options", "nosniff"},
        {"X-Robots-Tag", "noindex, nofollow"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };

    return document_once(document->site, http_page_new_taking(200, headers, sizeof headers / sizeof *headers, image), 0);
}

struct http_answer document_image(const struct document_request *document)
{
    struct http_answer given;
    struct document_facts facts;
    enum store_answer answer = document_facts_of(document, &facts);
    const char *known = NULL;
    struct buf type, image;

    buf_init(&type, TYPE_MAX);
    buf_init(&image, IMAGE_MAX);
    if (answer == STORE_YES && !slice_eq(document->target.version, slice_of(facts.hash, VIEWER_VERSION_TEXT)))
        answer = STORE_NO;
    if (answer == STORE_YES)
        answer = find(document, &facts, &type, &image);
    if (answer == STORE_YES && !(known = known_type(buf_slice(&type))))
        answer = STORE_NO;
    given = answer == STORE_YES ? answer_with(document, known, &image) : document_refusal(document, answer);
    buf_free(&type);
    buf_free(&image);
    document_facts_release(&facts);
    return given;
}
