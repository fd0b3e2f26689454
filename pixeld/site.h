/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * site - what all pages of one spoor-pixeld have in common, and how each notes down who asked for it.
 *
 * Everything here but the counts is set before the first request and read by all threads.
 */
#ifndef PIXELD_SITE_H
#define PIXELD_SITE_H

#include "common/cache.h"
#include "common/keys.h"
#include "common/shard_pools.h"
#include "pixeld/asset.h"
#include "pixeld/beacon_rate.h"
#include "pixeld/courier.h"
#include "pixeld/herald.h"
#include "pixeld/hit.h"
#include "pixeld/http.h"
#include "pixeld/journal.h"
#include "pixeld/metrics.h"
#include "pixeld/page.h"
#include "pixeld/place.h"
#include "pixeld/rulebook.h"

struct feed { /* what the Live Feed needs besides the database */
    bool secure;         /* reached by https */
    struct slice origin; /* scheme and authority of tracking_url */
    const struct conf_list *local_domains;
    struct herald *herald;
    struct courier *courier; /* NULL: nobody signs in by mail */
    struct places *places;   /* NULL: none are told */
    const struct shard_pools *pools; /* to the servers; the desk's */
};

struct site {
    struct slice prefix; /* the path of tracking_url */
    struct keys *keys;
    struct journal *journal;
    const struct recorder *recorder;
    struct hit_settings hits;
    bool unsubscribe_everywhere; /* not only from the sender of the mail */
    struct latest *rulebook;
    struct pages pages;
    struct feed feed;
    struct assets assets;
    struct cache *cache; /* of page images */
    struct beacon_rate *beacon_rate;
    struct metrics metrics;
};

/* ARG is the struct site: what answers wait for, with spool_sync = 0. */
void site_settle(void *arg, uint64_t after, size_t answers);

/* Notes down the request under TOKEN; RAW as for hit_of(). Gives what its answer has to wait for, or 0. */
uint64_t site_record(struct site *site, const struct request *request, const struct token *token, struct slice raw);

#endif
