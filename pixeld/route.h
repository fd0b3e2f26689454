/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route - what a request target asks for. Pure.
 *
 * Takes the target in origin-form and absolute-form (RFC 9112 3.2) as it came on the wire; percent signs
 * are decoded once, in a click's destination, and nowhere else. A query is not ours (mail programs and
 * portals add some) and does not count.
 */
#ifndef PIXELD_ROUTE_H
#define PIXELD_ROUTE_H

#include "common/slice.h"
#include "common/url.h"

#include <stdbool.h>

enum route_place {
    ROUTE_NOWHERE,
    ROUTE_VIEW,
    ROUTE_CLICK,
    ROUTE_UNSUBSCRIBE,
    ROUTE_CONSENT,
    ROUTE_HEALTH,
    ROUTE_FEED,
    ROUTE_DOCUMENT,
    ROUTE_ASSET,
    ROUTE_PLACES /* how many there are */
};

struct route {
    enum route_place place;
    bool readable;     /* the path has our form, so `target` is set; a view that is not is still a pixel */
    struct slice path; /* of the target, behind the prefix */
    struct url_target target; /* into the request target */
};

/* PREFIX is the path of tracking_url, "" or "/t"; a proxy may have taken it off already. Free ROUTE. */
void route_parse(struct slice target, struct slice prefix, struct route *route);
void route_free(struct route *route);

/* What is known of a place beforehand: its row in route.c. */
struct route_rule {
    const char *name;   /* a word for whoever counts requests */
    struct slice start; /* of its paths */
    enum route_shape {
        ROUTE_SIGNED, /* a token follows, see url.h */
        ROUTE_ALONE,  /* nothing follows */
        ROUTE_TREE    /* nothing, or '/' and whatever the place makes of it */
    } shape;
    size_t post_most; /* bytes of a POST's body that are taken; 0: it cannot be posted to */
    bool post_kept;   /* and kept for whoever answers */
};
const struct route_rule *route_rule(enum route_place place);
const char *route_name(enum route_place place);

/* The path of a URL such as tracking_url: behind scheme and authority. Empty when there is none. */
struct slice route_url_path(struct slice url);

#endif
