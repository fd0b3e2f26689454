/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_event - how an event gets into the database: its letters, its row, and what only a few events have.
 *
 * Pure, and for the store alone. The words for the letters are in sql/002-functions.sql.
 */
#ifndef COMMON_STORE_EVENT_H
#define COMMON_STORE_EVENT_H

#include "common/db.h"
#include "common/record.h"
#include "common/record_document.h"
#include "common/row_set.h"

/* Events that are neither hits, acts on documents nor answers. */
enum { EVENT_REFUSED = 'f', EVENT_UNSUBSCRIBE = 'u', EVENT_OPENED = 'O', EVENT_READ = 'R' };
char hit_kind_letter(enum hit_kind kind);
char document_act_letter(enum document_act act);
char answer_class_letter(enum answer_class class_);
char hit_verdict_letter(enum hit_verdict verdict);

struct store_event { /* what becomes a row of spoor.event */
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

enum { STORE_CLOCK_COLUMNS = 3, STORE_DEVICE_COLUMNS = 3, STORE_UNJUDGED_COLUMNS = 8 };

/* For a loader's transaction; the first is a COPY, see copy_stream.h. */
extern const char store_copy_events[];
extern const struct db_statement store_insert_clocks;
extern const struct db_statement store_insert_devices;
extern const struct db_statement store_insert_unjudged;

void store_event_row(struct buf *stream, int32_t spool, const struct store_event *event);
void store_clock_row(struct row_set *row, int32_t spool, uint64_t record, int64_t claimed_us);
void store_device_row(struct row_set *row, int32_t spool, const struct store_event *event); /* none where it has none */
void store_unjudged_row(struct row_set *row, int32_t spool, const struct store_event *event);

#endif
