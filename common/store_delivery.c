/* SPDX-License-Identifier: BSD-2-Clause */
/* store_delivery - see store_delivery.h */

#include "common/store_delivery.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24 };

const struct db_statement store_insert_deliveries = {
    "insert_deliveries",
    "insert into spoor.pending_delivery (spool, record, state, at_time, host, queue_id, first, recipient, original, relay,"
    "  relay_address, status, text, goes_on_as, assigned_id, tls)"
    " select spool, record, state, spoor.from_microseconds(at), host, queue_id, first, recipient, original, relay,"
    "  relay_address, status, text, goes_on_as, assigned_id, tls <> 0"
    " from unnest($1::smallint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[],"
    "  $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::smallint[])"
    "  as row (spool, record, state, at, host, queue_id, first, recipient, original, relay, relay_address, status, text,"
    "  goes_on_as, assigned_id, tls)"
    " on conflict (spool, record) do nothing", STORE_DELIVERY_COLUMNS};

void store_delivery_row(struct row_set *row, const struct record_delivery *delivery, int32_t spool, uint64_t record)
{
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)record);
    row_set_text(row, slice_str(delivery_state_name(delivery->state)));
    row_set_integer(row, delivery->time_us);
    row_set_text(row, delivery->host);
    row_set_text(row, delivery->queue_id);
    row_set_text_or_null(row, delivery->first);
    row_set_text(row, delivery->recipient);
    row_set_text_or_null(row, delivery->original);
    row_set_text_or_null(row, delivery->relay);
    row_set_text_or_null(row, delivery->relay_address);
    row_set_text_or_null(row, delivery->status);
    row_set_text_or_null(row, delivery->text);
    row_set_text_or_null(row, delivery->goes_on_as);
    row_set_text_or_null(row, delivery->assigned_id);
    row_set_integer(row, delivery->tls);
}

const struct db_statement store_settle_deliveries = {
    "settle_deliveries", "select spoor.settle_deliveries(make_interval(secs => $1::integer))", 1};

enum store_answer store_settle(struct db *db, int within_s, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result;

    snprintf(text, sizeof text, "%d", within_s);
    result = db_ask(db, &store_settle_deliveries, (const char *const[]){text}, deadline_ms);
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}
