/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/asset.h"

#include "common/digest.h"
#include "common/hex.h"
#include "pixeld/embedded.h"

#include <stdio.h>

enum { HASH_BYTES = 8 };

enum { NAME_AT = 3 }; /* behind "/a/" */

static const struct {
    const char *name, *ending, *type;
    const char *text;
} sources[ASSETS] = {
    [ASSET_VIEWER_SCRIPT] = {"viewer", "js", "text/javascript; charset=utf-8", embedded_viewer_js},
    [ASSET_VIEWER_STYLE] = {"viewer", "css", "text/css; charset=utf-8", embedded_viewer_css},
    [ASSET_FEED_SCRIPT] = {"feed", "js", "text/javascript; charset=utf-8", embedded_feed_js},
    [ASSET_FEED_STYLE] = {"feed", "css", "text/css; charset=utf-8", embedded_feed_css},
    [ASSET_ICON] = {"icon", "svg", "image/svg+xml", embedded_icon_svg},
};

static struct http_page *page_of(enum asset_which which)
{
    const struct http_header headers[] = {
        {"Content-Type", sources[which].type},
        {"Cache-Control", "public, max-age=31536000, immutable"},
        {"X-Content-Type-Options", "nosniff"},
        {"Cross-Origin-Resource-Policy", "same-origin"},
    };

    return http_page_new_lasting(200, headers, sizeof headers / sizeof *headers, slice_str(sources[which].text));
}

static bool name_it(struct asset *asset, enum asset_which which)
{
    const struct slice text = slice_str(sources[which].text);
    char hex[2 * HASH_BYTES + 1];
    uint8_t digest[32];

    if (!digest_sha256(&text, 1, digest))
        return false;
    hex_write(digest, HASH_BYTES, hex);
    snprintf(asset->name, ASSET_NAME, "%s-%s.%s", sources[which].name, hex, sources[which].ending);
    return true;
}

bool assets_init(struct assets *assets)
{
    *assets = (struct assets){.item = {{.page = NULL}}};
    for (size_t n = 0; n < ASSETS; n++) {
        assets->item[n].page = page_of((enum asset_which)n);
        if (!assets->item[n].page || !name_it(&assets->item[n], (enum asset_which)n)) {
            assets_release(assets);
            return false;
        }
    }
    return true;
}

void assets_release(struct assets *assets)
{
    for (size_t n = 0; n < ASSETS; n++) {
        http_page_free(assets->item[n].page);
        assets->item[n].page = NULL;
    }
}

struct http_page *asset_at(const struct assets *assets, struct slice path)
{
    struct slice name = slice_from(path, NAME_AT);

    for (size_t n = 0; n < ASSETS; n++)
        if (slice_is(name, assets->item[n].name))
            return assets->item[n].page;
    return NULL;
}
