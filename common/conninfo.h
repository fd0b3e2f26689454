/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conninfo - a libpq connection string made fit to be shown.
 *
 * Both forms are known: "host=x password=y" and "postgresql://user:y@x/db?password=y". Pure.
 */
#ifndef COMMON_CONNINFO_H
#define COMMON_CONNINFO_H

#include "common/buf.h"

/* Adds CONNINFO with each password as "***". */
bool conninfo_add_masked(struct buf *out, const char *conninfo);

#endif
