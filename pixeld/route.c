/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/route.h"

#include <string.h>

struct slice route_url_path(struct slice url)
{
    static const char *const schemes[] = {"http://", "https://"};

    for (size_t n = 0; n < sizeof schemes / sizeof *schemes; n++) {
        struct slice scheme = slice_str(schemes[n]);

        if (slice_starts_i(url, scheme)) {
            struct slice rest = slice_from(url, scheme.len);
            const char *slash = rest.len ? memchr(rest.p, '/', rest.len) : NULL;

            return slash ? slice_from(rest, (size_t)(slash - rest.p)) : slice_from(rest, rest.len);
        }
    }
    return slice_from(url, url.len);
}

static struct slice without_query(struct slice target)
{
    const char *mark = target.len ? memchr(target.p, '?', target.len) : NULL;

    return mark ? slice_of(target.p, (size_t)(mark - target.p)) : target;
}

static bool starts(struct slice s, struct slice start)
{
    return s.len >= start.len && slice_eq(slice_of(s.p, start.len), start);
}

static struct slice without_prefix(struct slice path, struct slice prefix)
{
    if (prefix.len && starts(path, prefix) && path.len > prefix.len && path.p[prefix.len] == '/')
        return slice_from(path, prefix.len);
    return path;
}

static enum route_place place_of(struct slice path)
{
    if (starts(path, slice_str("/o/")))
        return ROUTE_VIEW;
    if (starts(path, slice_str("/c/")))
        return ROUTE_CLICK;
    if (starts(path, slice_str("/u/")))
        return ROUTE_UNSUBSCRIBE;
    return slice_is(path, "/healthz") ? ROUTE_HEALTH : ROUTE_NOWHERE;
}

void route_parse(struct slice target, struct slice prefix, struct route *route)
{
    struct slice path = without_query(target);

    if (path.len && path.p[0] != '/')
        path = route_url_path(path);
    path = without_prefix(path, prefix);
    *route = (struct route){.place = place_of(path), .path = path};
    if (route->place != ROUTE_NOWHERE && route->place != ROUTE_HEALTH)
        route->readable = url_target_parse(path, &route->target);
}

void route_free(struct route *route)
{
    url_target_free(&route->target);
}

const char *route_name(enum route_place place)
{
    static const char *const names[ROUTE_PLACES] = {
        [ROUTE_NOWHERE] = "nowhere",         [ROUTE_VIEW] = "view",     [ROUTE_CLICK] = "click",
        [ROUTE_UNSUBSCRIBE] = "unsubscribe", [ROUTE_HEALTH] = "health",
    };

    return names[place];
}
