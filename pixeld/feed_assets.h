/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * feed_assets - what the feed's pages need besides the database: their style, script and icon, who tells them news, who
 * carries mail, and which places addresses are at.
 */
#ifndef PIXELD_FEED_ASSETS_H
#define PIXELD_FEED_ASSETS_H

#include "pixeld/courier.h"
#include "pixeld/herald.h"
#include "pixeld/http.h"
#include "pixeld/place.h"

enum { FEED_ASSETS = 3 };

struct feed {
    bool secure;         /* reached by https */
    struct slice origin; /* scheme and authority of tracking_url */
    const struct conf_list *local_domains;
    struct herald *herald;
    struct courier *courier; /* NULL: nobody signs in by mail */
    struct places *places;   /* NULL: none are told */
    struct http_page *asset[FEED_ASSETS];
    struct http_page *unchanged[FEED_ASSETS]; /* 304 */
};

bool feed_assets_init(struct feed *feed); /* false without memory */
void feed_assets_release(struct feed *feed);

/* The answer when REST, behind /feed, is one of them; else NULL. */
struct http_page *feed_asset(const struct feed *feed, const struct request *request, struct slice rest);

#endif
