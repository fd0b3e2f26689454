/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/dispatch.h"

#include "pixeld/click.h"
#include "pixeld/document.h"
#include "pixeld/feed.h"
#include "pixeld/health.h"
#include "pixeld/pixel.h"
#include "pixeld/route.h"
#include "pixeld/unsubscribe.h"

static struct http_answer nowhere_answer(struct site *site, const struct request *request, const struct route *route)
{
    (void)request, (void)route;
    return (struct http_answer){.page = site->pages.not_found};
}

static struct http_answer asset_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct http_page *page = asset_at(&site->assets, route->path);

    return page ? (struct http_answer){.page = page} : nowhere_answer(site, request, route);
}

static struct http_answer public_health_answer(struct site *site, const struct request *request, const struct route *route)
{
    (void)route;
    return health_answer(site, health_may_know(site, request));
}

static const struct {
    /* Without the database; or says `at_desk`. */
    struct http_answer (*answer)(struct site *site, const struct request *request, const struct route *route);
    /* At the desk; NULL where nothing is sent there. */
    struct http_answer (*work)(struct site *site, const struct request *request, const struct route *route, struct db *db);
} places[] = {
    [ROUTE_NOWHERE] = {nowhere_answer, NULL},
    [ROUTE_VIEW] = {pixel_answer, NULL},
    [ROUTE_CLICK] = {click_answer, click_work},
    [ROUTE_UNSUBSCRIBE] = {unsubscribe_answer, NULL},
    [ROUTE_CONSENT] = {unsubscribe_answer, NULL},
    [ROUTE_HEALTH] = {public_health_answer, NULL},
    [ROUTE_FEED] = {feed_answer, feed_work},
    [ROUTE_DOCUMENT] = {document_answer, document_work},
    [ROUTE_ASSET] = {asset_answer, NULL},
};
_Static_assert(sizeof places / sizeof *places == ROUTE_PLACES, "nobody answers at a place");

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
        answer = places[route.place].answer(site, request, &route);
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
    answer = places[route.place].work(site, request, &route, db);
    metrics_count_request(&site->metrics, route.place, http_page_status(answer.page));
    route_free(&route);
    return answer;
}
