/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * schema - spoorctl schema install | upgrade | version
 *
 * Applies the migrations NNN-*.sql of SPOOR_SQL_DIR, or of the folder they were installed to, that the database has not
 * seen. Each is one transaction, unless it is marked otherwise; an advisory lock makes a second spoorctl wait.
 */
#ifndef CTL_SCHEMA_H
#define CTL_SCHEMA_H

#include "common/conf.h"

int schema_command(const struct conf *conf, int argc, char **argv);

#endif
