/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_delivery - what the log's follower tells the database: lines wait there until their mail is known.
 */
#ifndef COMMON_STORE_DELIVERY_H
#define COMMON_STORE_DELIVERY_H

#include "common/row_set.h"
#include "common/store.h"

enum { STORE_DELIVERY_COLUMNS = 16 };

/* For a loader's transaction: the rows, then matching those that have just come. */
extern const struct db_statement store_insert_deliveries;
void store_delivery_row(struct row_set *row, const struct record_delivery *delivery, int32_t spool, uint64_t record);
extern const struct db_statement store_settle_deliveries;

/* Matches what was loaded within the last so many seconds. */
enum store_answer store_settle(struct db *db, int within_s, int deadline_ms);

#endif
