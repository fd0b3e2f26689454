/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gzip - a body packed for whoever takes it (RFC 1952, RFC 9110 section 12.5.3); the only user of zlib here. Pure.
 */
#ifndef PIXELD_GZIP_H
#define PIXELD_GZIP_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>

/* Does this Accept-Encoding take gzip? */
bool gzip_is_accepted(struct slice accept_encoding);

/* Adds BYTES, packed, to OUT. */
bool gzip_add(struct buf *out, struct slice bytes);

#endif
