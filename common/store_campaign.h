/* SPDX-License-Identifier: BSD-2-Clause */
/* store_campaign - what is asked and told about campaigns; see store.h. This is for the store alone. */
#ifndef COMMON_STORE_CAMPAIGN_H
#define COMMON_STORE_CAMPAIGN_H

#include "common/db.h"

/* One array a column, filled by cargo_stop_row(); a row a stop, with what became of it. */
extern const struct db_statement store_stop_by_answers;

/* The same by cargo_unsubscribe_row(): the record of each, and the word of spoor.take_unsubscribe(). */
extern const struct db_statement store_take_unsubscribes;

#endif
