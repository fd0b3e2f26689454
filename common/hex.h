/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hex - bytes as lower-case hexadecimal digits.
 */
#ifndef COMMON_HEX_H
#define COMMON_HEX_H

#include "common/buf.h"

#include <stdint.h>

/* TEXT has room for 2 * COUNT digits and a NUL. */
void hex_write(const uint8_t *bytes, size_t count, char *text);
/* OUT fails when there is no room, as all of buf.h. */
void hex_add(struct buf *out, const uint8_t *bytes, size_t count);
/* TEXT must be 2 * COUNT digits, in lower or upper case. */
bool hex_read(struct slice text, uint8_t *bytes, size_t count);
/* Adds the bytes that TEXT stands for, in lower or upper case; false for what is no hex, or without room. */
bool hex_decode(struct slice text, struct buf *out);

#endif
