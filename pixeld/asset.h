/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * asset - the files of pixeld/assets, put into the program when it is built.
 */
#ifndef PIXELD_ASSET_H
#define PIXELD_ASSET_H

#include <stddef.h>

struct asset {
    const char *bytes;
    size_t len;
};

extern const struct asset asset_feed_css;
extern const struct asset asset_feed_js;
extern const struct asset asset_icon_svg;

#endif
