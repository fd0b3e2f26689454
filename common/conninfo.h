/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conninfo - a libpq connection string made fit to be shown, or to be connected with.
 *
 * Both forms are known: "host=x password=y" and "postgresql://user:y@x/db?password=y". Pure.
 */
#ifndef COMMON_CONNINFO_H
#define COMMON_CONNINFO_H

#include "common/buf.h"

/* Adds CONNINFO with each password as "***". */
bool conninfo_add_masked(struct buf *out, const char *conninfo);

/* Adds CONNINFO so that it connects as ROLE, unless it names a user itself, or a service, which may. */
bool conninfo_add_with_role(struct buf *out, const char *conninfo, const char *role);

/* Whether libpq can read it at all; WHY gets what is wrong, in libpq's words. */
bool conninfo_is_readable(const char *conninfo, struct buf *why);

#endif
