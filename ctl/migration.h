/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migration - one file NNN-*.sql, and how it gets into a database that daemons are writing to.
 *
 * As a rule it is one transaction. A lock that somebody else has is waited for no longer than half a second at a time, for
 * all who want the table later wait behind us; then everything is taken back, and tried again for ten minutes. Every fifth
 * attempt waits a second longer, by when PostgreSQL has ended an autovacuum for us.
 *
 * A file marked "-- outside a transaction" is run statement by statement and waits for locks without end: it holds only
 * what nobody else has to wait for, such as CREATE INDEX CONCURRENTLY IF NOT EXISTS. Each row that a SELECT in it gives is
 * a statement to be run. It may have been run in part before; indexes that were left unfinished go first.
 */
#ifndef CTL_MIGRATION_H
#define CTL_MIGRATION_H

#include "common/db.h"

/* The number of a file NNN-*.sql, 0 for any other. */
int migration_number(const char *name);
/* Says on standard output what it does and on standard error why it cannot. */
bool migration_apply(struct db *db, const char *folder, const char *name);

#endif
