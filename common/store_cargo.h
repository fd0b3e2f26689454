/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_cargo - records of a spool, unpacked and sorted by the table they go to.
 *
 * Pure, and for the store alone. Slices point into the payloads, which must live as long. Times come from the
 * database's clock: one more than a day ahead of it is replaced by now, one before the retention is left out.
 */
#ifndef COMMON_STORE_CARGO_H
#define COMMON_STORE_CARGO_H

#include "common/record.h"
#include "common/record_document.h"
#include "common/row_set.h"
#include "common/spool.h"

enum { CARGO_REFUSED = 'f', CARGO_UNSUBSCRIBE = 'u', CARGO_OPENED = 'O', CARGO_READ = 'R' }; /* letters of events that are neither hits nor answers */

struct cargo_event { /* what becomes a row of spoor.event */
    uint64_t record;
    uint64_t message;
    int64_t time_us;
    uint32_t recipient;
    uint16_t link;
    char kind;    /* letters, see sql/002-functions.sql */
    char verdict;
    bool only_news; /* goes in only if the database says that it is new */
    bool is_new;
    struct slice reason;
    struct slice agent;
    int32_t reason_number; /* 0: none, or not known yet */
    int32_t agent_number;
    struct slice raw; /* not empty: goes to spoor.unjudged_hit */
    uint8_t address[16];
    uint8_t address_bytes;
    bool has_device; /* then DEVICE is that of a sender who is signed in */
    uint8_t device[16];
};

struct cargo {
    int64_t now_us;      /* of the database */
    int64_t keep_from_us;
    int32_t spool;
    size_t dropped;      /* older than the retention */
    struct cargo_event *event; /* in order of their records */
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
    struct cargo_event *read; /* events that the database has made of beacons, see cargo_add_read() */
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
struct cargo_event *cargo_event_of(const struct cargo *cargo, uint64_t record);

/* One row of spoor.message, one stop in the order of spoor.stop_by_answer(), one request in that of
 * spoor.take_unsubscribe(); 15, 8 and 8 columns. SPOOL 0: not from a spool. */
void cargo_message_row(struct row_set *row, const struct record_message *message);
void cargo_stop_row(struct row_set *row, const struct record_stop *stop);
void cargo_unsubscribe_row(struct row_set *row, const struct record_unsubscribe *unsubscribe, int32_t spool,
                           uint64_t record);

char hit_kind_letter(enum hit_kind kind);
char hit_verdict_letter(enum hit_verdict verdict);
char answer_class_letter(enum answer_class class_);

#endif
