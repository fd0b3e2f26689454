/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/route.h"

#include "pixeld/request.h"

#include <string.h>

enum { FORM_MAX = 4096 }; /* our own forms have a few short fields */

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

/* In the order of enum route_place, which is also the order of looking: views come first. */
static const struct route_rule rules[ROUTE_PLACES] = {
    [ROUTE_NOWHERE] = {.name = "nowhere", .start = SLICE_TEXT("")},
    [ROUTE_VIEW] = {.name = "view", .start = SLICE_TEXT("/o/"), .shape = ROUTE_SIGNED},
    [ROUTE_CLICK] = {.name = "click", .start = SLICE_TEXT("/c/"), .shape = ROUTE_SIGNED},
    [ROUTE_UNSUBSCRIBE] = {.name = "unsubscribe", .start = SLICE_TEXT("/u/"), .shape = ROUTE_SIGNED,
                           .post_most = REQUEST_BODY_MAX},
    [ROUTE_CONSENT] = {.name = "consent", .start = SLICE_TEXT("/s/"), .shape = ROUTE_SIGNED, .post_most = REQUEST_BODY_MAX},
    [ROUTE_HEALTH] = {.name = "health", .start = SLICE_TEXT("/healthz"), .shape = ROUTE_ALONE},
    [ROUTE_FEED] = {.name = "feed", .start = SLICE_TEXT("/feed"), .shape = ROUTE_TREE, .post_most = FORM_MAX,
                    .post_kept = true},
    [ROUTE_DOCUMENT] = {.name = "document", .start = SLICE_TEXT("/d/"), .shape = ROUTE_SIGNED, .post_most = REQUEST_BODY_MAX,
                        .post_kept = true},
    [ROUTE_ASSET] = {.name = "asset", .start = SLICE_TEXT("/a"), .shape = ROUTE_TREE},
};

static bool fits(const struct route_rule *rule, struct slice path)
{
    if (!starts(path, rule->start))
        return false;
    if (rule->shape == ROUTE_SIGNED || path.len == rule->start.len)
        return true;
    return rule->shape == ROUTE_TREE && path.p[rule->start.len] == '/';
}

static enum route_place place_of(struct slice path)
{
    for (size_t place = ROUTE_VIEW; place < ROUTE_PLACES; place++)
        if (fits(&rules[place], path))
            return (enum route_place)place;
    return ROUTE_NOWHERE;
}

void route_parse(struct slice target, struct slice prefix, struct route *route)
{
    struct slice path = without_query(target);

    if (path.len && path.p[0] != '/')
        path = route_url_path(path);
    path = without_prefix(path, prefix);
    *route = (struct route){.place = place_of(path), .path = path};
    if (route->place != ROUTE_NOWHERE && rules[route->place].shape == ROUTE_SIGNED)
        route->readable = url_target_parse(path, &route->target);
}

void route_free(struct route *route)
{
    url_target_free(&route->target);
}

const struct route_rule *route_rule(enum route_place place)
{
    return &rules[place];
}

const char *route_name(enum route_place place)
{
    return rules[place].name;
}
