/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embedded - the files that browsers get, compiled in: embed.awk makes embedded.c of them.
 */
#ifndef PIXELD_EMBEDDED_H
#define PIXELD_EMBEDDED_H

extern const char embedded_viewer_js[];
extern const char embedded_viewer_css[];
extern const char embedded_feed_js[];
extern const char embedded_feed_css[];
extern const char embedded_icon_svg[];

#endif
