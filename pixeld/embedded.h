/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * embedded - the files that browsers get, compiled in: embed.awk makes embedded.c of viewer.js and viewer.css.
 */
#ifndef PIXELD_EMBEDDED_H
#define PIXELD_EMBEDDED_H

extern const char embedded_viewer_js[];
extern const char embedded_viewer_css[];

#endif
