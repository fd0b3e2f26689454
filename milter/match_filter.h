/* SPDX-License-Identifier: BSD-2-Clause */
/* match_filter - what one spoor-match has: set by main() before the first mail, then used by every thread. */
#ifndef MILTER_MATCH_FILTER_H
#define MILTER_MATCH_FILTER_H

#include "common/cache.h"
#include "common/keys.h"
#include "common/recorder.h"
#include "common/shard_pools.h"
#include "milter/mlfi.h"

struct match_filter {
    const struct conf *conf;
    struct keys *keys;
    struct cache *cache;
    struct shard_pools databases;
    struct recorder *recorder;
};

#endif
