/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hit - from a request with a token of ours to the record of it. Pure.
 */
#ifndef PIXELD_HIT_H
#define PIXELD_HIT_H

#include "common/conf.h"
#include "common/network.h"
#include "common/record.h"
#include "common/token.h"
#include "pixeld/client.h"
#include "pixeld/request.h"
#include "pixeld/rules.h"

#include <stdbool.h>
#include <stdint.h>

struct hit_settings {
    const struct network_list *trusted_proxies; /* NULL: none */
    enum client_header proxy_header;
    bool anonymize_ip; /* before anything is written */
    enum conf_honour_gpc honour_gpc;
    bool secure_cookies; /* see feed_cookie.h */
};

/*
 * Whether the person asked not to be tracked: Sec-GPC (Global Privacy Control), or its forerunner DNT. Both fields
 * have one value that says so.
 */
bool hit_wants_privacy(const struct request *request);

/*
 * False when the hit is not to be recorded, because the person asked so. HIT points into REQUEST and RULES and is valid
 * as long. NOW_US is microseconds since 1970. RAW is empty, or the request target when TOKEN's key is not known here:
 * then its fields are hearsay until the key is.
 */
bool hit_of(const struct request *request, const struct token *token, struct slice raw, const struct rules *rules,
            const struct hit_settings *settings, int64_t now_us, struct record_hit *hit);

#endif
