/* SPDX-License-Identifier: BSD-2-Clause */
/* match_filter - what one spoor-match has: set by main() before the first mail, then used by every thread. */
#ifndef MILTER_MATCH_FILTER_H
#define MILTER_MATCH_FILTER_H

#include "common/cache.h"
#include "common/db.h"
#include "common/keys.h"
#include "milter/mlfi.h"

struct match_filter {
    const struct conf *conf;
    struct keys *keys;
    struct cache *cache;
    struct db_pool *databases;
    struct recorder *recorder;
};

#endif
