/* SPDX-License-Identifier: BSD-2-Clause */
/* store_document_event - how what was done with documents, and what viewers tell, gets into the database; for the store alone. */
#ifndef COMMON_STORE_DOCUMENT_EVENT_H
#define COMMON_STORE_DOCUMENT_EVENT_H

#include "common/store_event.h"

enum { STORE_BEACON_COLUMNS = 17, STORE_DOCUMENT_EVENT_COLUMNS = 5 };

/* For a loader's transaction. The first gives (record, place) of what is news. */
extern const struct db_statement store_take_beacons;
extern const struct db_statement store_take_document_events;

void store_beacon_row(struct row_set *row, const struct record_beacon *beacon, int32_t spool, const struct store_event *event);
void store_document_event_row(struct row_set *row, const struct record_document *document, int32_t spool, uint64_t record);

#endif
