/* SPDX-License-Identifier: BSD-2-Clause */
/* document - see document.h */

#include "pixeld/document.h"

#include "pixeld/document_note.h"
#include "pixeld/document_part.h"

/* NULL when TOKEN may be asked about. */
static struct http_page *refused(const struct site *site, const struct route *route, struct token *token)
{
    enum token_result result;

    if (!route->readable)
        return site->pages.no_document;
    result = token_verify(site->keys, route->target.token, slice_of("", 0), token);
    if (result == TOKEN_UNKNOWN_KEY && token->kind == TOKEN_DOCUMENT)
        return site->pages.unavailable; /* it may come */
    return result == TOKEN_GOOD && token->kind == TOKEN_DOCUMENT && token->index ? NULL : site->pages.no_document;
}

struct http_answer document_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct document_target target = document_target_of(route->target.rest);
    struct token token;
    struct http_page *page = refused(site, route, &token);
    bool posted = request->method == REQUEST_POST;

    if (!page && (target.part == PART_NOTHING || (target.part == PART_BEACON && !posted)))
        page = site->pages.no_document;
    if (!page && posted && target.part != PART_BEACON && target.part != PART_FILE)
        page = site->pages.method_not_allowed;
    if (page)
        return (struct http_answer){.page = page};
    if (target.part == PART_BEACON)
        return document_take_beacon(site, request, &token);
    return (struct http_answer){.at_desk = true, .message = token.message,
                                .takes_long = target.part == PART_FILE && request->method != REQUEST_HEAD};
}

struct http_answer document_work(struct site *site, const struct request *request, const struct route *route, struct db *db)
{
    struct token token;
    struct http_page *page = db ? refused(site, route, &token) : site->pages.unavailable;
    struct document_request document = {
        .site = site,
        .request = request,
        .token = &token,
        .token_text = route->target.token,
        .target = document_target_of(route->target.rest),
        .db = db,
    };

    if (page)
        return (struct http_answer){.page = page};
    document.link = (struct store_link){.message = token.message, .number = token.index};
    switch (document.target.part) {
    case PART_IMAGE:
        return document_image(&document);
    case PART_FILE:
        return document_file(&document);
    default:
        return document_html(&document);
    }
}
