/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/dispatch.h"

#include "pixeld/click.h"
#include "pixeld/document.h"
#include "pixeld/feed.h"
#include "pixeld/health.h"
#include "pixeld/pixel.h"
#include "pixeld/route.h"
#include "pixeld/unsubscribe.h"

static struct http_answer asset_answer(const struct site *site, struct slice path)
{
    struct http_page *page = asset_at(&site->assets, path);

    return (struct http_answer){.page = page ? page : site->pages.not_found};
}

/* What needs no database. */
static struct http_answer answer_place(struct site *site, const struct request *request,
                                       const struct route *route)
{
    switch (route->place) {
    case ROUTE_VIEW:
        return pixel_answer(site, request, route);
    case ROUTE_CLICK:
        return click_answer(site, request, route);
    case ROUTE_UNSUBSCRIBE:
    case ROUTE_CONSENT:
        return unsubscribe_answer(site, request, route);
    case ROUTE_HEALTH:
        return health_answer(site, health_may_know(site, request));
    case ROUTE_FEED:
        return feed_answer(site, request, route);
    case ROUTE_DOCUMENT:
        return document_answer(site, request, route);
    case ROUTE_ASSET:
        return asset_answer(site, route->path);
    case ROUTE_NOWHERE:
    case ROUTE_PLACES:
        break;
    }
    return (struct http_answer){.page = site->pages.not_found};
}

/* What was sent to the desk. */
static struct http_answer work_place(struct site *site, const struct request *request, const struct route *route,
                                     struct db *db)
{
    switch (route->place) {
    case ROUTE_FEED:
        return feed_work(site, request, route, db);
    case ROUTE_DOCUMENT:
        return document_work(site, request, route, db);
    default:
        return (struct http_answer){.page = site->pages.not_found};
    }
}

struct http_body dispatch_wants_body(void *arg, const struct request *request)
{
    const struct site *site = arg;
    const struct route_rule *rule;
    struct route route;

    route_parse(request->target, site->prefix, &route);
    rule = route_rule(route.place);
    route_free(&route);
    return (struct http_body){.most = rule->post_most, .kept = rule->post_kept};
}

/* NULL when the request may be answered. */
static struct http_page *refusal(const struct site *site, const struct request *request, const struct route *route)
{
    bool may_post = route_rule(route->place)->post_most > 0;

    if (request->method == REQUEST_OTHER || (request->method == REQUEST_POST && !may_post))
        return may_post ? site->pages.post_allowed : site->pages.method_not_allowed;
    if (request->unframed)
        return site->pages.bad_request;
    return request->too_large ? site->pages.too_large : NULL;
}

struct http_answer dispatch_answer(void *arg, const struct request *request)
{
    struct site *site = arg;
    struct http_answer answer = {.once = false};
    struct route route;

    route_parse(request->target, site->prefix, &route);
    answer.page = refusal(site, request, &route);
    if (!answer.page)
        answer = answer_place(site, request, &route);
    if (!answer.at_desk)
        metrics_count_request(&site->metrics, route.place, http_page_status(answer.page));
    route_free(&route);
    return answer;
}

struct http_answer dispatch_work(void *arg, const struct request *request, struct db *db)
{
    struct site *site = arg;
    struct http_answer answer;
    struct route route;

    route_parse(request->target, site->prefix, &route);
    answer = work_place(site, request, &route, db);
    metrics_count_request(&site->metrics, route.place, http_page_status(answer.page));
    route_free(&route);
    return answer;
}
