/* SPDX-License-Identifier: BSD-2-Clause */
/* db_options - a conninfo as a foreign server of postgres_fdw wants it. */
#ifndef COMMON_DB_OPTIONS_H
#define COMMON_DB_OPTIONS_H

#include "common/buf.h"

#include <stdbool.h>

/*
 * CONNINFO as the options of a foreign server of postgres_fdw, "host 'pg2', dbname 'spoor'", and the password in it, if there is
 * one. False, with WHY, when libpq does not understand it.
 */
bool db_server_options(const char *conninfo, struct buf *options, struct buf *password, struct buf *why);

#endif
