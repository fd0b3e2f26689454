/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/click.h"

#include "common/store_keys.h"

enum { QUESTION_MS = 2000 };

/* DESTINATION has a NUL behind it, and url_destination_ok() has found no byte that could end a header line.
 */
static struct http_answer redirect(struct slice destination, uint64_t after)
{
    const struct http_header headers[] = {
        {"Location", destination.p},
        {"Referrer-Policy", "no-referrer"},
        {"Cache-Control", "no-store"},
    };

    return (struct http_answer){
        .page = http_page_new(302, headers, sizeof headers / sizeof *headers, slice_of("", 0)),
        .once = true,
        .after = after,
    };
}

struct http_answer click_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct http_answer not_found = {.page = site->pages.not_found};
    struct slice destination = buf_slice(&route->target.destination);
    enum token_result result;
    struct token token;

    if (!route->readable)
        return not_found;
    result = token_verify(site->keys, route->target.token, destination, &token);
    if (result == TOKEN_UNKNOWN_KEY && token.kind == TOKEN_CLICK)
        not_found.after = site_record(site, request, &token, route->path);
    if (result == TOKEN_REVOKED && token.kind == TOKEN_CLICK && url_destination_ok(destination))
        return (struct http_answer){.at_desk = true, .message = token.message};
    if (result != TOKEN_GOOD || token.kind != TOKEN_CLICK || !url_destination_ok(destination))
        return not_found;
    return redirect(destination, site_record(site, request, &token, slice_of("", 0)));
}

struct http_answer click_work(struct site *site, const struct request *request, const struct route *route, struct db *db)
{
    struct slice destination = buf_slice(&route->target.destination);
    struct token token;

    (void)request;
    if (!db || !token_parse(route->target.token, &token))
        return (struct http_answer){.page = site->pages.unavailable};
    switch (store_link_leads_to(db, token.message, token.index, destination.p, QUESTION_MS)) {
    case STORE_YES:
        return redirect(destination, 0);
    case STORE_NO:
        return (struct http_answer){.page = site->pages.not_found};
    default:
        return (struct http_answer){.page = site->pages.unavailable};
    }
}
