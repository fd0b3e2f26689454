/* SPDX-License-Identifier: BSD-2-Clause */
/* rewrite_check - see rewrite_check.h */

#include "tests/support/rewrite_check.h"
#include "mail/mime.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { BODY_LIMIT = 64 * 1024 * 1024, LINE_LIMIT = 998 };

void check_that(bool holds, const char *promise)
{
    if (holds)
        return;
    fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

static bool add_view(void *arg, struct buf *out)
{
    return buf_add_f(out, CHECK_TRACKING_URL "/o/%s.gif", (const char *)arg);
}

static bool add_decoy(void *arg, struct buf *out)
{
    return buf_add_f(out, CHECK_TRACKING_URL "/c/%s-decoy/https%%3A%%2F%%2Ft.example.com", (const char *)arg);
}

static bool add_consent(void *arg, struct buf *out)
{
    return buf_add_f(out, CHECK_TRACKING_URL "/s/%s", (const char *)arg);
}

static bool add_click(void *arg, unsigned index, struct slice destination, struct buf *out)
{
    buf_add_f(out, CHECK_TRACKING_URL "/c/%s-%u/", (const char *)arg, index);
    for (size_t at = 0; at < destination.len; at++) {
        char c = destination.p[at];

        if (ascii_is_alpha(c) || ascii_is_digit(c) || strchr("._~-", c))
            buf_add_char(out, c);
        else
            buf_add_f(out, "%%%02X", (unsigned char)c);
    }
    return !out->failed;
}

static bool add_document(void *arg, unsigned number, struct buf *out)
{
    return buf_add_f(out, CHECK_TRACKING_URL "/d/%s-%u", (const char *)arg, number);
}

/* Nobody's link any more, at the same length. */
static bool address(void *arg, struct slice url, struct buf *out)
{
    size_t start = strlen(CHECK_TRACKING_URL "/d/");

    (void)arg;
    buf_add(out, url.p, start);
    for (size_t at = start; at < url.len; at++)
        buf_add_char(out, 'x');
    return !out->failed;
}

static enum rewrite_own own(void *arg, struct slice url, struct buf *destination)
{
    struct slice path = slice_from(url, strlen(CHECK_TRACKING_URL));
    const char *slash;

    (void)arg;
    if (slice_starts_i(path, slice_str("/o/")))
        return REWRITE_OWN_VIEW;
    if (slice_starts_i(path, slice_str("/s/")))
        return REWRITE_OWN_DECOY;
    if (slice_starts_i(path, slice_str("/d/")))
        return REWRITE_OWN_DOCUMENT;
    if (!slice_starts_i(path, slice_str("/c/")) || !(slash = memchr(path.p + 3, '/', path.len - 3)))
        return REWRITE_NOT_OWN;
    if (slash - path.p > 6 && memcmp(slash - 6, "-decoy", 6) == 0)
        return REWRITE_OWN_DECOY;
    path = slice_from(path, (size_t)(slash - path.p) + 1);
    for (size_t at = 0; at < path.len; at++) {
        int high = path.p[at] == '%' && at + 2 < path.len ? ascii_hex_value(path.p[at + 1]) : -1;
        int low = high >= 0 ? ascii_hex_value(path.p[at + 2]) : -1;

        buf_add_char(destination, low >= 0 ? (char)(high * 16 + low) : path.p[at]);
        at += low >= 0 ? 2 : 0;
    }
    return REWRITE_OWN_CLICK;
}

static char *const sensitive[] = {"password", "verify", "magic*token="};
static char *const untracked[] = {"intern.example", "*.untracked.example"};

struct rewrite_settings check_settings(const char *salt)
{
    return (struct rewrite_settings){
        .urls = {.arg = (void *)(uintptr_t)salt,
                 .view = add_view,
                 .decoy = add_decoy,
                 .consent = add_consent,
                 .click = add_click,
                 .document = add_document,
                 .address = address,
                 .own = own},
        .tracking_url = CHECK_TRACKING_URL,
        .add_pixel = true,
        .track_links = true,
        .clean = true,
        .sensitive = {sensitive, sizeof sensitive / sizeof sensitive[0]},
        .untracked = {untracked, sizeof untracked / sizeof untracked[0]},
        .body_limit = BODY_LIMIT,
    };
}

static bool any(void *arg, struct slice name, uint64_t bytes)
{
    (void)arg;
    (void)bytes;
    return document_name_fits(name, slice_str("*"));
}

void check_documents(const struct header_list *headers, struct slice body, struct document_list *list,
                     struct rewrite_settings *settings)
{
    static char *const types[] = {(char *)"pdf", (char *)"doc", (char *)"docx", (char *)"odt"};
    struct document_choice choice = {.type = types, .types = 4, .wanted = any, .largest = SIZE_MAX / 2};

    check_that(document_find(headers, body, &choice, list), "there is memory");
    for (size_t at = 0; at < list->count; at++) {
        check_that(list->item[at].name[0], "a file has a name");
        list->item[at].number = (unsigned)at + 1;
    }
    settings->document = list->item;
    settings->documents = list->count;
}

static size_t longest_line(struct slice text)
{
    size_t longest = 0, at = 0;

    while (at < text.len) {
        const char *newline = memchr(text.p + at, '\n', text.len - at);
        size_t end = newline ? (size_t)(newline - text.p) : text.len;
        size_t len = end - at - (newline && end > at && text.p[end - 1] == '\r');

        longest = len > longest ? len : longest;
        at = end + 1;
    }
    return longest;
}

/* Taking the edits out again gives the old body, byte for byte. */
static void check_edits(struct slice body, const struct rewrite_result *result)
{
    size_t old = 0, new = 0;

    for (size_t at = 0; at < result->edits; at++) {
        const struct rewrite_edit *edit = &result->edit[at];
        size_t same = edit->at - old;

        check_that(edit->at >= old && edit->new_at - new == same, "edits stand in rising order");
        check_that(memcmp(body.p + old, result->body.data + new, same) == 0,
                   "what no edit names is as it was");
        old = edit->at + edit->removed;
        new = edit->new_at + edit->added;
        check_that(old <= body.len && new <= result->body.len, "edits stay inside");
    }
    check_that(body.len - old == result->body.len - new, "the rest is as long as it was");
    check_that(memcmp(body.p + old, result->body.data + new, body.len - old) == 0, "the rest is as it was");
}

static bool leaves(const struct rewrite_settings *settings, size_t part)
{
    for (size_t at = 0; at < settings->documents; at++)
        if (settings->document[at].number && settings->document[at].part == part)
            return true;
    return false;
}

/* Does the part go, with what is in it? PAGE, the file that has become a page, does not. */
static bool goes(const struct rewrite_settings *settings, const struct mime_tree *tree, size_t part, size_t page)
{
    bool all = false;

    if (!tree->part[part].multipart || tree->part[part].parent == MIME_NO_PARENT)
        return part != page && leaves(settings, part);
    for (size_t at = part + 1; at < tree->count; at++)
        if (tree->part[at].parent == (int)part) {
            if (!goes(settings, tree, at, page))
                return false;
            all = true;
        }
    return all;
}

static size_t number_gone(const struct rewrite_settings *settings, const struct mime_tree *tree, size_t page)
{
    size_t gone = 0;

    for (size_t at = 0; at < tree->count; at++)
        gone += at > 0 && goes(settings, tree, at, page);
    return gone;
}

/*
 * The structure is the same but for files that left, and multiparts with nothing else: nobody reads other parts than before.
 * The first file may have become a page; where it is the whole mail the header says so, which is not changed here.
 */
static void check_structure(const struct header_list *headers, struct slice body, const struct rewrite_settings *settings,
                            struct slice changed)
{
    struct mime_tree before, after;
    size_t page = 1, other = 0;

    check_that(mime_scan(headers, body, &before) && mime_scan(headers, changed, &after), "there is memory");
    if (before.count == MIME_PARTS_MAX) { /* others of so many may be seen where a file has left */
        mime_tree_free(&before);
        mime_tree_free(&after);
        return;
    }
    while (page < before.count && !leaves(settings, page))
        page++;
    if (after.count != before.count - number_gone(settings, &before, page))
        page = SIZE_MAX;
    check_that(after.count == before.count - number_gone(settings, &before, page), "as many parts as before");
    for (size_t at = 0; at < before.count; at++)
        if (at == 0 || !goes(settings, &before, at, page))
            check_that(strcmp(at == page ? "text/html" : before.part[at].type, after.part[other++].type) == 0,
                       "parts keep their types");
    mime_tree_free(&before);
    mime_tree_free(&after);
}

void check_rewrite(const struct header_list *headers, struct slice body,
                   const struct rewrite_settings *settings, struct rewrite_result *result)
{
    size_t longest;

    check_that(rewrite(headers, body, settings, result), "there is memory");
    if (!result->changed) {
        check_that(result->body.len == 0 && result->edits == 0, "an unchanged body is not given");
        return;
    }
    check_edits(body, result);
    longest = longest_line(body);
    check_that(longest_line(buf_slice(&result->body)) <= (longest > LINE_LIMIT ? longest : LINE_LIMIT),
               "lines stay short");
    check_structure(headers, body, settings, buf_slice(&result->body));
}
