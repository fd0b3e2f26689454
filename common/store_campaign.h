/* SPDX-License-Identifier: BSD-2-Clause */
/* store_campaign - what is asked and told about campaigns; see store.h. This is for the store alone. */
#ifndef COMMON_STORE_CAMPAIGN_H
#define COMMON_STORE_CAMPAIGN_H

#include "common/store_event.h"

enum { STORE_STOP_COLUMNS = 8, STORE_UNSUBSCRIBE_COLUMNS = 8, STORE_REFUSAL_COLUMNS = 14 };

/* A row a stop, with what became of it. */
extern const struct db_statement store_stop_by_answers;
void store_stop_row(struct row_set *row, const struct record_stop *stop);

/* Gives the record of each, and the word of spoor.take_unsubscribe(). SPOOL 0: not from a spool. */
extern const struct db_statement store_take_unsubscribes;
void store_unsubscribe_row(struct row_set *row, const struct record_unsubscribe *unsubscribe, int32_t spool, uint64_t record);

/* Mail that did not go; gives the records of those that were not known yet. */
extern const struct db_statement store_insert_refusals;
void store_refusal_row(struct row_set *row, const struct record_refusal *refusal, int32_t spool, const struct store_event *event);

#endif
