/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * webp - is this a WebP picture as cwebp writes one, and how large is it (RFC 9649)?
 *
 * Pure. Looks at the headers only; what is in the picture is for the browser.
 */
#ifndef RENDER_WEBP_H
#define RENDER_WEBP_H

#include "common/slice.h"

/* False when it is none, is cut, or has bytes behind it. */
bool webp_size(struct slice image, int *width, int *height);

#endif
