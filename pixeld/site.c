/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/site.h"

#include "common/clock.h"
#include "pixeld/click.h"
#include "pixeld/health.h"
#include "pixeld/pixel.h"
#include "pixeld/route.h"

uint64_t site_record(struct site *site, const struct request *request, const struct token *token, struct slice raw)
{
    struct record_hit hit;

    hit_of(request, token, raw, &site->hits, clock_wall_us(), &hit);
    return journal_add(site->journal, &hit);
}

void site_settle(void *arg, uint64_t after, size_t answers)
{
    struct site *site = arg;

    journal_sync(site->journal, after, answers);
}

static struct http_answer answer_place(struct site *site, const struct request *request,
                                       const struct route *route)
{
    switch (route->place) {
    case ROUTE_VIEW:
        return pixel_answer(site, request, route);
    case ROUTE_CLICK:
        return click_answer(site, request, route);
    case ROUTE_HEALTH:
        return health_answer(site, request);
    case ROUTE_NOWHERE:
        break;
    }
    return (struct http_answer){.page = site->pages.not_found};
}

struct http_answer site_answer(void *arg, const struct request *request)
{
    struct site *site = arg;
    struct http_answer answer;
    struct route route;

    if (request->method == REQUEST_OTHER)
        return (struct http_answer){.page = site->pages.method_not_allowed};
    if (request->unframed)
        return (struct http_answer){.page = site->pages.bad_request};
    route_parse(request->target, site->prefix, &route);
    answer = answer_place(site, request, &route);
    route_free(&route);
    return answer;
}
