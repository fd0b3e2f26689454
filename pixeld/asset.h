/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asset - scripts, styles and the icon, under /a/NAME. Their names hold a hash of what is in them, so browsers may keep them for ever.
 */
#ifndef PIXELD_ASSET_H
#define PIXELD_ASSET_H

#include "pixeld/http.h"

#include <stdbool.h>

enum asset_which { ASSET_VIEWER_SCRIPT, ASSET_VIEWER_STYLE, ASSET_FEED_SCRIPT, ASSET_FEED_STYLE, ASSET_ICON, ASSETS };
enum { ASSET_NAME = 48 };

struct assets {
    struct asset {
        char name[ASSET_NAME]; /* "viewer-0123456789abcdef.js" */
        struct http_page *page;
    } item[ASSETS];
};

bool assets_init(struct assets *assets); /* false without memory; nothing to release then */
void assets_release(struct assets *assets);

/* PATH is "/a/NAME"; NULL when there is none of that name. */
struct http_page *asset_at(const struct assets *assets, struct slice path);

#endif
