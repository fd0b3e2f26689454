/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reference - character references in attribute values, decoded and written (WHATWG 13.2.5.72 on).
 *
 * Only what an http URL can be made of is decoded: numeric ones and the names of ASCII characters. Any other
 * named one means text that is no plain URL; it is told, not decoded.
 */
#ifndef MAIL_REFERENCE_H
#define MAIL_REFERENCE_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdint.h>

/* Adds the value decoded, as UTF-8. FOREIGN is set when a reference to another character was left in it. */
bool reference_decode(struct slice value, struct buf *out, bool *foreign);

/* Adds TEXT so that it may stand in an attribute within QUOTE ('"', '\'' or 0 for none). */
bool reference_escape(struct slice text, char quote, struct buf *out);

/* One code point; U+FFFD for what is none. */
bool reference_add_utf8(uint32_t code, struct buf *out);

#endif
