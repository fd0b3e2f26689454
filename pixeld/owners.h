/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * owners - whose mail somebody may see, as PostgreSQL writes an array of texts: {a@example.com,"b,c"}. Pure.
 */
#ifndef PIXELD_OWNERS_H
#define PIXELD_OWNERS_H

#include <stdbool.h>

/* Is OWNER, byte for byte, one of the array? */
bool owners_have(const char *owners, const char *owner);

#endif
