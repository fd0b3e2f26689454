/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_cargo - records of a spool, unpacked and sorted by the table they go to.
 *
 * Pure, and for the store alone. Slices point into the payloads, which must live as long. Times come from the
 * database's clock: one more than a day ahead of it is replaced by now, one before the retention is left out.
 */
#ifndef COMMON_STORE_CARGO_H
#define COMMON_STORE_CARGO_H

#include "common/row_set.h"
#include "common/spool.h"
#include "common/store_event.h"

struct cargo {
    int64_t now_us;      /* of the database */
    int64_t keep_from_us;
    int32_t spool;
    size_t dropped;      /* older than the retention */
    struct store_event *event; /* in order of their records */
    size_t events;
    struct row_set message;
    struct row_set recipient;
    struct row_set link;
    struct row_set answer;
    struct row_set stop;
    struct row_set unsubscribe;
    struct row_set refusal;
    struct row_set clock;
    struct row_set network; /* from where owners submitted; 3 columns */
    struct row_set delivery;
    struct row_set document; /* events of documents */
    struct row_set beacon;
    struct store_event *read; /* events that the database has made of beacons, see cargo_add_read() */
    size_t reads, reads_room;
};

/* Room for so many records; now_us, keep_from_us and spool are set by the caller. False without memory. */
bool cargo_init(struct cargo *cargo, size_t records);
void cargo_free(struct cargo *cargo);

/* False when the payload is no such record. */
bool cargo_add(struct cargo *cargo, const struct spool_record *record);

/*
 * The page at PLACE, from 1, of the list in that beacon is news: one more event. Its number is the record's and PLACE, which
 * no other event has, for the record is longer. False without memory.
 */
bool cargo_add_read(struct cargo *cargo, uint64_t record, int64_t place);

/* The event of that record, or NULL. */
struct store_event *cargo_event_of(const struct cargo *cargo, uint64_t record);

#endif
