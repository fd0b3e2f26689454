/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/site.h"

#include "common/clock.h"
#include "pixeld/click.h"
#include "pixeld/health.h"
#include "pixeld/pixel.h"
#include "pixeld/route.h"

void site_record(struct site *site, const struct request *request, const struct token *token,
                 struct slice raw)
{
    struct record_hit hit;

    hit_of(request, token, raw, &site->hits, clock_wall_us(), &hit);
    metrics_count_hit(&site->metrics, &hit);
    journal_add(site->journal, &hit);
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
        return health_answer(site, health_may_know(site, request));
    case ROUTE_NOWHERE:
    case ROUTE_PLACES:
        break;
    }
    return (struct http_answer){.page = site->pages.not_found};
}

/* One that is not even looked at for where it wants to go; NULL when it is. */
static struct http_page *refusal(const struct site *site, const struct request *request)
{
    if (request->method == REQUEST_OTHER)
        return site->pages.method_not_allowed;
    return request->unframed ? site->pages.bad_request : NULL;
}

struct http_answer site_answer(void *arg, const struct request *request)
{
    struct site *site = arg;
    struct http_answer answer = {.page = refusal(site, request)};
    struct route route = {.place = ROUTE_NOWHERE};

    if (answer.page == NULL) {
        route_parse(request->target, site->prefix, &route);
        answer = answer_place(site, request, &route);
        route_free(&route);
    }
    metrics_count_request(&site->metrics, route.place, http_page_status(answer.page));
    return answer;
}
