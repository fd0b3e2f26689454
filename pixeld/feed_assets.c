/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/feed_assets.h"

#include "common/crc32c.h"
#include "pixeld/asset.h"

#include <stdio.h>

static const struct {
    const char *path, *type;
    const struct asset *asset;
} assets[FEED_ASSETS] = {
    {"/style.css", "text/css; charset=utf-8", &asset_feed_css},
    {"/feed.js", "text/javascript; charset=utf-8", &asset_feed_js},
    {"/icon.svg", "image/svg+xml", &asset_icon_svg},
};

static void tag_of(size_t n, char *tag, size_t size)
{
    struct slice bytes = slice_of((const char *)assets[n].asset->bytes, assets[n].asset->len);

    snprintf(tag, size, "\"%08x\"", crc32c(0, bytes.p, bytes.len));
}

bool feed_assets_init(struct feed *feed)
{
    for (size_t n = 0; n < FEED_ASSETS; n++) {
        char tag[16];
        const struct http_header headers[] = {
            {"Content-Type", assets[n].type}, {"Cache-Control", "no-cache"}, {"ETag", tag}, {"X-Content-Type-Options", "nosniff"},
        };

        tag_of(n, tag, sizeof tag);
        feed->asset[n] = http_page_new_lasting(200, headers, sizeof headers / sizeof *headers,
                                               slice_of((const char *)assets[n].asset->bytes, assets[n].asset->len));
        feed->unchanged[n] = http_page_new_lasting(304, headers + 1, 2, slice_of("", 0));
        if (!feed->asset[n] || !feed->unchanged[n])
            return false;
    }
    return true;
}

void feed_assets_release(struct feed *feed)
{
    for (size_t n = 0; n < FEED_ASSETS; n++) {
        http_page_free(feed->asset[n]);
        http_page_free(feed->unchanged[n]);
    }
}

struct http_page *feed_asset(const struct feed *feed, const struct request *request, struct slice rest)
{
    for (size_t n = 0; n < FEED_ASSETS; n++) {
        char tag[16];

        if (!slice_is(rest, assets[n].path) || request->method == REQUEST_POST)
            continue;
        tag_of(n, tag, sizeof tag);
        return slice_is(request->field[REQUEST_IF_NONE_MATCH], tag) ? feed->unchanged[n] : feed->asset[n];
    }
    return NULL;
}
