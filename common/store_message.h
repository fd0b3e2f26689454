/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_message - how a tracked mail gets into the database: its columns, recipients, links, and where it was submitted.
 *
 * For the store alone. spoor.message has one order of columns here, in store_message_row() and STORE_MESSAGE_ROWS; who adds
 * one adds it to spoor.admit() too, which records the mails of campaigns.
 */
#ifndef COMMON_STORE_MESSAGE_H
#define COMMON_STORE_MESSAGE_H

#include "common/db.h"
#include "common/record.h"
#include "common/row_set.h"

enum { STORE_MESSAGE_COLUMNS = 15, STORE_RECIPIENT_COLUMNS = 4, STORE_LINK_COLUMNS = 3, STORE_NETWORK_COLUMNS = 3 };

/* The rows of $1 to $15 under the names of spoor.message, but for `at`, in microseconds. */
#define STORE_MESSAGE_ROWS                                                                                             \
    "unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::text[], $7::text[], $8::text[]," \
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::integer[])"                   \
    "  as m (id, at, size, level, pixels, owner, sender, envelope_sender, subject, sent_message_id, client_message_id," \
    "  campaign, host, queue_id, sent_to)"
void store_message_row(struct row_set *row, const struct record_message *message);

/* ORIGINAL is empty when nobody else was submitted to. */
void store_recipient_row(struct row_set *row, uint64_t message, const struct record_recipient *recipient, struct slice original);
void store_link_row(struct row_set *row, uint64_t message, const struct record_link *link);

/* Where its owner submitted it; adds none when that is not told. */
void store_network_row(struct row_set *row, const struct record_message *message);

/* For a loader's transaction. */
extern const struct db_statement store_insert_messages;
extern const struct db_statement store_insert_recipients;
extern const struct db_statement store_insert_links;
extern const struct db_statement store_learn_networks;

#endif
