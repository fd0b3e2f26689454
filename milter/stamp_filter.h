/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_filter - what one spoor-stamp has: set by main() before the first mail, then used by every thread. */
#ifndef MILTER_STAMP_FILTER_H
#define MILTER_STAMP_FILTER_H

#include "common/cache.h"
#include "common/keys.h"
#include "common/message_id.h"
#include "common/network.h"
#include "common/recorder.h"
#include "common/shard_pools.h"
#include "milter/mlfi.h"
#include "milter/stamp_policy.h"

#include <stdatomic.h>

struct stamp_filter {
    const struct conf *conf;
    struct keys *keys;
    struct network_list submit_networks;
    struct cache *cache;
    struct recorder *recorder;
    struct stamp_policy *policy;
    struct message_id_maker *numbers;
    struct shard_pools databases;       /* asked about campaigns, and about the mails that a mail names */
    _Atomic int64_t unsettled_until_ms; /* CLOCK_MONOTONIC; till then stops may be on their way to the database */
};

#endif
