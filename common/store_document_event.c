/* SPDX-License-Identifier: BSD-2-Clause */
/* store_document_event - see store_document_event.h */

#include "common/store_document_event.h"

#include <string.h>

const struct db_statement store_take_beacons = {
    "take_beacons",
    "select record, place from spoor.take_beacons($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    STORE_BEACON_COLUMNS};

/* The pages of a beacon, or their times, as the text of an array. */
static void add_pages(struct row_set *row, const struct record_beacon *beacon, bool times)
{
    struct buf text;

    buf_init(&text, 12 * BEACON_PAGES_MAX);
    for (size_t n = 0; n < beacon->pages; n++)
        buf_add_f(&text, "%s%u", n ? "," : "{", times ? beacon->page[n].ms : beacon->page[n].page);
    buf_add_str(&text, beacon->pages ? "}" : "{}");
    row_set_text(row, buf_slice(&text));
    buf_free(&text);
}

void store_beacon_row(struct row_set *row, const struct record_beacon *beacon, int32_t spool, const struct store_event *event)
{
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int64_t)event->message);
    row_set_integer(row, (int16_t)event->link);
    row_set_integer(row, (int32_t)event->recipient);
    row_set_text(row, slice_of(&event->verdict, 1));
    row_set_address(row, event->address, event->address_bytes);
    row_set_hex(row, beacon->view, VIEW_BYTES);
    row_set_integer(row, (int64_t)beacon->document);
    row_set_integer(row, beacon->started_us);
    row_set_integer(row, beacon->visible_ms);
    row_set_integer(row, beacon->trusted);
    row_set_integer(row, beacon->automated);
    row_set_integer(row, beacon->current);
    add_pages(row, beacon, false);
    add_pages(row, beacon, true);
}

const struct db_statement store_take_document_events = {
    "take_document_events", "select spoor.take_document_events($1, $2, $3, $4, $5)", STORE_DOCUMENT_EVENT_COLUMNS};

void store_document_event_row(struct row_set *row, const struct record_document *document, int32_t spool, uint64_t record)
{
    static const uint8_t no_view[VIEW_BYTES];

    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)record);
    if (memcmp(document->view, no_view, VIEW_BYTES) == 0)
        row_set_text_or_null(row, slice_str(""));
    else
        row_set_hex(row, document->view, VIEW_BYTES);
    row_set_integer(row, (int64_t)document->document);
    if (document->page == 0)
        row_set_text_or_null(row, slice_str(""));
    else
        row_set_integer(row, document->page);
}
