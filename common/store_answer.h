/* SPDX-License-Identifier: BSD-2-Clause */
/* store_answer - how an answer gets into the database; for the store alone. */
#ifndef COMMON_STORE_ANSWER_H
#define COMMON_STORE_ANSWER_H

#include "common/store_event.h"

enum { STORE_ANSWER_COLUMNS = 22 };

/* For a loader's transaction; gives the records of those that were not there yet. */
extern const struct db_statement store_insert_answers;
void store_answer_row(struct row_set *row, const struct record_answer *answer, int32_t spool, const struct store_event *event);

#endif
