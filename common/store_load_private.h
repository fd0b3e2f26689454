/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_load_private - what the files of loading share: one batch on its way, and how its steps speak to the server.
 *
 * A step is false when the database did not do it; whether that was the data's fault is in `refusable`.
 */
#ifndef COMMON_STORE_LOAD_PRIVATE_H
#define COMMON_STORE_LOAD_PRIVATE_H

#include "common/store.h"
#include "common/store_cargo.h"
#include "common/store_words.h"

enum { LOADING_NUMBER_TEXT = 24, LOADING_MONTHS_MOST = 64 };

struct store_memory {
    struct store_words *words;
    int month[LOADING_MONTHS_MOST]; /* year * 12 + month; a ring */
    size_t months;          /* ever entered */
    struct db_meanwhile meanwhile;
};

struct loading {
    struct db *db;
    struct store_memory *memory;
    struct store_progress *progress;
    const struct spool_record *record;
    size_t records;
    int64_t until_ms;
    bool has_rules; /* of what goes to sinks */
    bool refusable; /* what failed carried the records' data, so the server may have refused that */
    int64_t first_us; /* of the events that went in; behind last_us when none did */
    int64_t last_us;
    struct cargo cargo;
};

int loading_left_ms(const struct loading *loading);
const char *loading_number(char text[LOADING_NUMBER_TEXT], int64_t value);

bool loading_tell(struct loading *loading, const struct db_statement *statement, const char *const *values);
bool loading_tell_rows(struct loading *loading, const struct db_statement *statement, struct row_set *rows); /* fine without rows */

/* For each month that an event is of; before the transaction. */
bool loading_make_partitions(struct loading *loading);

/* Within the transaction. The events with the devices they came from; then what sinks want of all that was loaded. */
bool loading_insert_events(struct loading *loading);
bool loading_fill_outbox(struct loading *loading);

#endif
