/* SPDX-License-Identifier: BSD-2-Clause */
/* rewrite - see rewrite.h */

#include "mail/rewrite.h"

#include "common/token.h"
#include "mail/base64.h"
#include "mail/charset.h"
#include "mail/consent_footer.h"
#include "mail/delimiter.h"
#include "mail/destination.h"
#include "mail/detach.h"
#include "mail/page.h"
#include "mail/pixel.h"
#include "mail/plain.h"
#include "mail/qp.h"
#include "mail/rewrite_degree.h"
#include "mail/splice.h"

#include <stdint.h>
#include <stdlib.h>

/* What edits mostly add; reserved at once, for the body would else be copied as it grows. */
enum { BODY_ROOM = 8 * 1024 };

/* List-Unsubscribe is searched for every link; real ones are a few hundred bytes. */
enum { UNSUBSCRIBE_MAX = 8192, UNSUBSCRIBE_FIELDS_MAX = 4 };

const char *rewrite_fate_name(enum rewrite_fate fate)
{
    static const char *const names[] = {
        [LINK_WRAPPED] = "wrapped",         [LINK_UNWRAPPED] = "unwrapped",
        [LINK_OPTED_OUT] = "opted_out",     [LINK_UNSUBSCRIBE] = "unsubscribe",
        [LINK_TEXT_IS_URL] = "text_is_url", [LINK_OWN] = "own",
        [LINK_QUOTED] = "quoted",           [LINK_NOT_HTTP] = "not_http",
        [LINK_UNSIGNABLE] = "unsignable",   [LINK_SENSITIVE] = "sensitive",
        [LINK_NOT_ASKED] = "not_asked",     [LINK_TOO_MANY] = "too_many",
        [LINK_NO_ROOM] = "no_room",         [LINK_EXCLUDED] = "excluded",
    };

    return names[fate];
}

/* One mail being rewritten. */
struct job {
    struct mail_links links;
    struct mime_tree tree;
    struct splice_output output;
    struct detach detach;
    struct consent_footer footer;
    struct buf unsubscribe;
    bool *pixel_below; /* by part: a page below it has its pixel */
};

static bool is_plain(const struct mime_part *part)
{
    return strcmp(part->type, "text/plain") == 0;
}

/* Why a part is not edited, or NULL. */
static const char *untouched(const struct mime_part *part, enum charset_way way,
                             const struct rewrite_settings *settings)
{
    bool plain = is_plain(part) && (settings->text_links || settings->clean || settings->documents || settings->urls.address ||
                                    settings->consent_in_text);

    if (part->multipart)
        return "multipart";
    if (part->opaque)
        return part->opaque;
    if (strcmp(part->type, "text/html") != 0 && !plain)
        return "not_html";
    if (part->attachment)
        return "attachment";
    if (part->len == 0)
        return "empty"; /* and a delimiter may begin right here */
    if (way == CHARSET_UNKNOWN)
        return "charset";
    if (way != CHARSET_DIRECT && way != CHARSET_ISO_2022_JP && part->encoding != MIME_BASE64)
        return "charset"; /* of two bytes a character; what breaks its lines elsewhere is no line break in it */
    return NULL;
}

/*
 * Pages that are shown one below the other need one pixel, alternatives need one each: a page gets none when
 * the nearest multipart that holds it and a page with a pixel is no multipart/alternative.
 */
static bool wants_pixel(const struct job *job, size_t index)
{
    int parent = job->tree.part[index].parent;

    if (!(job->links.settings->add_pixel || job->links.settings->consent_text) || is_plain(&job->tree.part[index]))
        return false;
    while (parent != MIME_NO_PARENT && !job->pixel_below[parent])
        parent = job->tree.part[parent].parent;
    return parent == MIME_NO_PARENT || strcmp(job->tree.part[parent].type, "multipart/alternative") == 0;
}

static void note_pixel(struct job *job, size_t index)
{
    for (int at = (int)index; at != MIME_NO_PARENT; at = job->tree.part[at].parent)
        job->pixel_below[at] = true;
}

static bool read_text(struct job *job, struct page *page, struct slice text)
{
    return is_plain(&job->tree.part[page->part]) ? plain_read(&job->links, page, text)
                                                 : page_read(&job->links, page, text);
}

/* Reads the decoded page, masked where its charset asks for it, and brings its splices to decoded offsets. */
static bool read_page(struct job *job, struct page *page, struct slice decoded, enum charset_way way)
{
    struct buf masked;
    bool done;

    if (way == CHARSET_DIRECT)
        return read_text(job, page, decoded);
    buf_init(&masked, SIZE_MAX / 4);
    done = charset_mask(way, decoded, &masked) && read_text(job, page, buf_slice(&masked));
    buf_free(&masked);
    for (size_t at = 0; done && way != CHARSET_ISO_2022_JP && at < page->splices.count; at++) {
        page->splices.item[at].at *= 2;
        page->splices.item[at].len *= 2;
    }
    return done;
}

static bool edit_identity(struct job *job, const struct mime_part *part, struct page *page,
                          enum charset_way way)
{
    page->short_lines = true;
    return read_page(job, page, slice_of(job->output.old.p + part->at, part->len), way) &&
           splice_identity(&job->output, &page->splices, part->at, part->len);
}

/* *DONE_AS becomes "short_lines" when its map would take more memory than it does. */
static bool edit_quoted_printable(struct job *job, const struct mime_part *part, struct page *page,
                                  enum charset_way way, const char **done_as)
{
    struct buf decoded;
    struct qp_map map;
    bool done;

    buf_init(&decoded, SIZE_MAX / 4);
    done = qp_decode(slice_of(job->output.old.p + part->at, part->len), &decoded, &map);
    if (done) {
        way = charset_settle(way, buf_slice(&decoded));
        done = read_page(job, page, buf_slice(&decoded), way) &&
               splice_qp(&job->output, &page->splices, part->at, &map, way);
    } else if (map.too_many) {
        *done_as = "short_lines";
        done = true;
    }
    qp_map_free(&map);
    buf_free(&decoded);
    return done;
}

/* *DONE becomes "base64" when the text is damaged. */
static bool edit_base64(struct job *job, const struct mime_part *part, struct page *page,
                        enum charset_way way, const char **done)
{
    struct buf decoded;
    bool fine;

    buf_init(&decoded, SIZE_MAX / 4);
    fine = base64_decode(slice_of(job->output.old.p + part->at, part->len), &decoded);
    if (!fine) {
        *done = "base64";
        fine = !decoded.failed;
    } else {
        way = charset_settle(way, buf_slice(&decoded));
        fine = read_page(job, page, buf_slice(&decoded), way);
        if (fine && page->splices.count)
            fine = splice_base64(&job->output, &page->splices, part->at, part->len, &decoded, way);
    }
    buf_free(&decoded);
    return fine;
}

/* Edits one page. *DONE is why it stayed as it was, or NULL. False without memory. */
static bool edit_page(struct job *job, size_t index, enum charset_way way, struct rewrite_part *report)
{
    const struct mime_part *part = &job->tree.part[index];
    struct rewrite_result *result = job->links.result;
    struct page page = {
        .pixel = wants_pixel(job, index),
        .part = (unsigned)index,
        .block = detach_block(&job->detach, index, slice_of(job->output.old.p + part->at, part->len)),
    };
    size_t edits = job->output.edits, links = result->links;
    bool fine;

    report->done = NULL;
    if (!consent_footer_write(&job->footer, index, &page.footer))
        return false;
    if (part->encoding == MIME_QUOTED_PRINTABLE)
        fine = edit_quoted_printable(job, part, &page, way, &report->done);
    else if (part->encoding == MIME_BASE64)
        fine = edit_base64(job, part, &page, way, &report->done);
    else
        fine = edit_identity(job, part, &page, way);
    consent_footer_settle(&job->footer, index, page.shows_footer);
    if (page.pixels)
        note_pixel(job, index);
    if (page.block.len && !page.shows_block)
        result->documents_hidden = true;
    if (!report->done)
        report->done = job->output.edits > edits ? "edited" : "unchanged";
    report->pixels = page.pixels;
    report->links = (unsigned)(result->links - links);
    report->cleaned = page.cleaned;
    result->pixels += page.pixels;
    result->wrapped += page.wrapped;
    result->cleaned += page.cleaned;
    splice_list_free(&page.splices);
    return fine;
}

/* A file that leaves the mail; of a mail without a page of its own, it becomes one, with a pixel. */
static bool detach_file(struct job *job, size_t index, struct rewrite_part *report)
{
    const struct rewrite_urls *urls = &job->links.settings->urls;
    struct rewrite_result *result = job->links.result;
    struct buf url, pixel;
    bool done;

    buf_init(&url, DESTINATION_MAX);
    buf_init(&pixel, 2 * PAGE_SHORT);
    if (detach_is_page(&job->detach, index) && wants_pixel(job, index) && urls->view(urls->arg, &url)) {
        buf_add_char(&pixel, '\n');
        pixel_write(buf_slice(&url), PAGE_SHORT, &pixel);
        note_pixel(job, index);
        report->pixels = 1;
        result->pixels++;
    }
    report->done = "detached";
    result->detached++;
    done = !pixel.failed && detach_part(&job->detach, &job->output, index, buf_slice(&pixel));
    buf_free(&pixel);
    buf_free(&url);
    return done;
}

/* The part that the links were meant for stays as it is. Nobody misses a text that has no words. */
static void note_hidden(struct job *job, size_t index, const char *why)
{
    bool meant = (int)index == job->detach.html || ((int)index == job->detach.text && strcmp(why, "empty") != 0) ||
                 ((int)index == job->detach.text && job->detach.html == MIME_NO_PARENT);

    if (meant && !job->detach.page)
        job->links.result->documents_hidden = true;
}

static bool edit_part(struct job *job, size_t index)
{
    const struct mime_part *part = &job->tree.part[index];
    struct rewrite_part *report = &job->links.result->part[job->links.result->parts];
    enum charset_way way = charset_way_of(slice_str(part->charset));

    *report = (struct rewrite_part){.at = part->at, .len = part->len, .type = strdup(part->type)};
    job->links.result->parts++;
    if (!report->type)
        return false;
    if (detach_leaves(&job->detach, index))
        return detach_file(job, index, report);
    if (detach_empties(&job->detach, index)) {
        report->done = "multipart";
        return detach_part(&job->detach, &job->output, index, slice_str(""));
    }
    report->done = untouched(part, way, job->links.settings);
    if (report->done) {
        note_hidden(job, index, report->done);
        consent_footer_settle(&job->footer, index, false);
    }
    if (!report->done && !edit_page(job, index, way, report))
        return false;
    if (is_plain(part) && !job->links.settings->text_links && strcmp(report->done, "edited") != 0 &&
        !part->opaque && !part->attachment)
        report->done = "not_html"; /* nothing but our own URLs is looked for in it */
    return true;
}

/* Why the body stayed as it is: the word of the first part that could have been a page. */
static const char *why_unchanged(const struct rewrite_result *result)
{
    for (size_t at = 0; at < result->parts; at++)
        if (strcmp(result->part[at].done, "multipart") != 0 &&
            strcmp(result->part[at].done, "not_html") != 0 &&
            strcmp(result->part[at].done, "attachment") != 0)
            return result->part[at].done;
    return "no_html";
}

/* The first that readers show and that can be edited, as far as that can be told beforehand. */
static int first_page(const struct job *job)
{
    for (size_t at = 0; at < job->tree.count; at++) {
        const struct mime_part *part = &job->tree.part[at];

        if (strcmp(part->type, "text/html") == 0 && !untouched(part, charset_way_of(slice_str(part->charset)), job->links.settings))
            return (int)at;
    }
    return MIME_NO_PARENT;
}

static bool edit_all(struct job *job)
{
    struct rewrite_result *result = job->links.result;

    result->part = calloc(job->tree.count, sizeof *result->part);
    job->pixel_below = calloc(job->tree.count, sizeof *job->pixel_below);
    if (!result->part || !job->pixel_below || !detach_prepare(&job->detach, job->links.settings, &job->tree) ||
        !buf_reserve(&result->body, job->output.old.len - detach_bytes(&job->detach) + BODY_ROOM))
        return false;
    consent_footer_begin(&job->footer, job->links.settings, &job->tree, job->output.old, first_page(job));
    for (size_t at = 0; at < job->tree.count; at++)
        if (!edit_part(job, at))
            return false;
    result->edit = job->output.edit;
    result->edits = job->output.edits;
    job->output.edit = NULL;
    result->changed = result->edits > 0;
    if (!result->changed) {
        result->reason = why_unchanged(result);
        buf_free(&result->body);
    }
    return !result->changed || splice_finish(&job->output);
}

/* A mail whose parts would be others afterwards stays as it is. */
static void keep_parts(struct job *job)
{
    struct rewrite_result *result = job->links.result;

    if (!result->changed || !delimiter_arises(&job->tree, job->output.old, result))
        return;
    rewrite_result_free(result);
    result->degree = REWRITE_HEADERS;
    result->reason = "delimiter";
}

/* All List-Unsubscribe fields in one line; false without memory. */
static bool gather_unsubscribe(const struct header_list *headers, struct buf *out)
{
    const struct header_field *field;

    for (size_t nth = 0;
         nth < UNSUBSCRIBE_FIELDS_MAX && (field = header_find(headers, "List-Unsubscribe", nth)); nth++)
        if (out->len + strlen(field->value) < UNSUBSCRIBE_MAX && !header_unfold(slice_str(field->value), out))
            return false;
    return true;
}

bool rewrite(const struct header_list *headers, struct slice body, const struct rewrite_settings *settings,
             struct rewrite_result *result)
{
    struct job job = {.links = {.settings = settings, .result = result},
                      .output = {.old = body, .body = &result->body}};
    bool done;

    *result = (struct rewrite_result){0};
    buf_init(&result->body, SIZE_MAX / 4);
    buf_init(&job.unsubscribe, UNSUBSCRIBE_MAX);
    done = rewrite_degree_judge(headers, body, settings->body_limit, &job.tree, &result->degree, &result->reason);
    if (done && result->degree == REWRITE_BODY) {
        done = gather_unsubscribe(headers, &job.unsubscribe);
        job.links.unsubscribe = buf_slice(&job.unsubscribe);
        done = done && edit_all(&job);
        if (done)
            keep_parts(&job);
    }
    consent_footer_free(&job.footer);
    detach_free(&job.detach);
    mime_tree_free(&job.tree);
    buf_free(&job.unsubscribe);
    destination_table_free(&job.links.destinations);
    free(job.pixel_below);
    free(job.output.edit);
    if (!done)
        rewrite_result_free(result);
    return done;
}

void rewrite_result_free(struct rewrite_result *result)
{
    for (size_t at = 0; at < result->links; at++)
        free(result->link[at].destination);
    for (size_t at = 0; at < result->parts; at++)
        free(result->part[at].type);
    free(result->link);
    free(result->part);
    free(result->edit);
    buf_free(&result->body);
    *result = (struct rewrite_result){0};
}
