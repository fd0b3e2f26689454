/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed.h"

#include "pixeld/feed_pages.h"

#include <string.h>

static const struct place {
    const char *path; /* behind /feed; one that ends with '/' is followed by a word */
    bool inside;      /* needs a session */
    bool page;        /* a person looks at it: who has no session is asked to sign in */
    bool across;      /* shows what several servers have; all else is the first's */
    struct http_answer (*show)(struct feed_visit *visit);
    struct http_answer (*post)(struct feed_visit *visit); /* NULL: cannot be posted to */
} places[] = {
    {"", true, true, true, feed_list_show, NULL},
    {"/csv", true, true, true, feed_list_csv, NULL},
    {"/live", true, false, true, feed_list_live, NULL},
    {"/mail/", true, true, true, feed_mail_show, NULL},
    {"/devices", true, true, false, feed_devices_show, feed_devices_post},
    {"/out", true, true, false, NULL, feed_sign_out},
    {"/sign-in", false, true, false, feed_sign_in_show, feed_sign_in_post},
    {"/in/", false, true, false, feed_link_show, feed_link_post},
};

static const struct place *place_of(struct slice rest)
{
    for (size_t n = 0; n < sizeof places / sizeof *places; n++) {
        struct slice path = slice_str(places[n].path);
        bool open = path.len && path.p[path.len - 1] == '/';

        if (open ? rest.len > path.len && slice_eq(slice_of(rest.p, path.len), path) : slice_eq(rest, path))
            return &places[n];
    }
    return NULL;
}

static struct slice rest_of(const struct route *route)
{
    return slice_from(route->path, route_rule(ROUTE_FEED)->start.len);
}

struct http_answer feed_answer(struct site *site, const struct request *request, const struct route *route)
{
    struct slice rest = rest_of(route);
    const struct place *place = place_of(rest);

    if (!place)
        return (struct http_answer){.page = site->pages.not_found};
    if (request->method == REQUEST_POST ? !place->post : !place->show)
        return (struct http_answer){.page = site->pages.method_not_allowed};
    if (!place->inside && request->method != REQUEST_POST) {
        struct feed_visit visit = {.site = site, .request = request, .rest = rest};

        feed_visit_begin(&visit, false); /* asks nobody */
        return place->show(&visit);
    }
    return (struct http_answer){.at_desk = true};
}

static struct http_answer answer_visit(struct feed_visit *visit, const struct place *place)
{
    bool posted = visit->request->method == REQUEST_POST;

    if (!feed_visit_begin(visit, place->inside))
        return feed_unavailable(visit);
    if (place->inside && !visit->session && place->page && !posted)
        return feed_redirect(visit, "/feed/sign-in", NULL);
    if (place->inside && !visit->session)
        return feed_message(visit, 403, "Not signed in", "Your session has ended. Please sign in again.");
    if (posted && !feed_visit_may_act(visit))
        return feed_message(visit, 403, "Not done", "This form did not come from a page of yours. Please go back, load the page again, and try once more.");
    return posted ? place->post(visit) : place->show(visit);
}

struct http_answer feed_work(struct site *site, const struct request *request, const struct route *route, struct db *db)
{
    struct feed_visit visit = {.site = site, .request = request, .rest = rest_of(route), .db = db};
    const struct place *place = place_of(visit.rest);
    struct feed_cursor newest;
    struct http_answer answer;

    feed_servers_begin(&visit.servers, site->feed.pools, db);
    if (place && shard_pools_are_several(site->feed.pools)) { /* a page that asks one after another waits for none that does not answer */
        feed_servers_newest(&visit.servers, &newest, FEED_ASK_MS);
        visit.db = db = visit.servers.db[0];
    }
    if (place && (db || (place->across && feed_servers_any(&visit.servers))))
        answer = answer_visit(&visit, place);
    else
        answer = feed_unavailable(&visit);
    feed_visit_release(&visit);
    feed_servers_end(&visit.servers);
    return answer;
}
