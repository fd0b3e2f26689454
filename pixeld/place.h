/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * place - where on earth a network address is, by a database of MaxMind's form (GeoLite2 City, DB-IP and their kin); the
 * only user of libmaxminddb. Built without that library, none can be opened.
 *
 * One struct serves all threads.
 */
#ifndef PIXELD_PLACE_H
#define PIXELD_PLACE_H

#include "common/buf.h"

struct places;

struct places *places_open(const char *path, struct buf *error); /* NULL: ERROR says why */
void places_close(struct places *places); /* NULL is fine */

/* Adds "Munich, Germany", or the country alone, or nothing when it is not known. ADDRESS as text. */
void place_add(struct places *places, const char *address, struct buf *out);

#endif
