/* SPDX-License-Identifier: BSD-2-Clause */
/* store_load_events - the events of a batch into the database; see store_load_private.h */

#include "common/store_load_private.h"

#include "common/copy_stream.h"

#include <string.h>

enum { COPY_MAX = 64 * 1024 * 1024, COLUMNS = 11 };

static const struct db_statement insert_devices = {
    "insert_devices",
    "insert into spoor.event_device (spool, record, device) select spool, record, device::uuid"
    " from unnest($1::smallint[], $2::bigint[], $3::text[]) as row (spool, record, device)", 3};

static const struct db_statement insert_unjudged = {
    "insert_unjudged",
    "insert into spoor.unjudged_hit (spool, record, at_time, target, verdict, reason, agent, address)"
    " select spool, record, spoor.from_microseconds(at), target, verdict::\"char\", reason, agent, address::inet"
    " from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::integer[],"
    "  $8::text[]) as row (spool, record, at, target, verdict, reason, agent, address)", 8};

static const char copy_events[] =
    "copy spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
    " from stdin (format binary)";

static void add_unjudged(struct row_set *row, const struct cargo *cargo, const struct cargo_event *event)
{
    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, event->time_us);
    row_set_text(row, event->raw);
    row_set_text(row, slice_of(&event->verdict, 1));
    row_set_integer(row, event->reason_number);
    row_set_integer(row, event->agent_number);
    row_set_address(row, event->address, event->address_bytes);
}

static void add_event(struct buf *stream, const struct cargo *cargo, const struct cargo_event *event)
{
    copy_row(stream, COLUMNS);
    copy_time(stream, event->time_us);
    copy_int64(stream, (int64_t)event->message);
    copy_int64(stream, (int64_t)event->record);
    copy_int32(stream, (int32_t)event->recipient);
    copy_int32(stream, event->agent_number);
    copy_int16(stream, (int16_t)cargo->spool);
    copy_int16(stream, (int16_t)event->link);
    copy_char(stream, event->kind);
    copy_char(stream, event->verdict);
    copy_int16(stream, (int16_t)event->reason_number);
    copy_address(stream, event->address, event->address_bytes);
}

/* Events to STREAM, hits whose key is unknown to UNJUDGED. True when there are events. */
static bool sort_events(const struct cargo *cargo, struct buf *stream, struct row_set *unjudged)
{
    size_t events = cargo->reads;

    copy_begin(stream);
    for (size_t at = 0; at < cargo->events; at++) {
        const struct cargo_event *event = &cargo->event[at];

        if (event->only_news && !event->is_new)
            continue;
        if (slice_empty(event->raw)) {
            add_event(stream, cargo, event);
            events++;
        } else {
            add_unjudged(unjudged, cargo, event);
        }
    }
    for (size_t at = 0; at < cargo->reads; at++)
        add_event(stream, cargo, &cargo->read[at]);
    copy_end(stream);
    return events > 0;
}

static void add_device(struct row_set *row, const struct cargo *cargo, const struct cargo_event *event)
{
    if (!event->has_device || (event->only_news && !event->is_new))
        return;
    row_set_integer(row, cargo->spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_hex(row, event->device, sizeof event->device);
}

/* Which of the events that go in came from a device of a sender. */
bool loading_insert_devices(struct loading *loading)
{
    const struct cargo *cargo = &loading->cargo;
    struct row_set rows;
    bool done;

    row_set_init(&rows, 3);
    for (size_t at = 0; at < cargo->events; at++)
        add_device(&rows, cargo, &cargo->event[at]);
    for (size_t at = 0; at < cargo->reads; at++)
        add_device(&rows, cargo, &cargo->read[at]);
    done = loading_tell_rows(loading, &insert_devices, &rows);
    row_set_free(&rows);
    return done;
}

bool loading_insert_events(struct loading *loading)
{
    const struct db_meanwhile *meanwhile = loading->memory->meanwhile.call ? &loading->memory->meanwhile : NULL;
    struct row_set unjudged;
    struct buf stream;
    bool done;

    buf_init(&stream, COPY_MAX);
    row_set_init(&unjudged, 8);
    loading->refusable = true;
    done = !sort_events(&loading->cargo, &stream, &unjudged)
           || (!stream.failed && db_copy(loading->db, copy_events, buf_slice(&stream), meanwhile, loading_left_ms(loading)));
    /* 23514: somebody dropped the partition of a month; it is made again */
    loading->refusable = !done && strcmp(db_sqlstate(loading->db), "23514") != 0;
    done = done && loading_tell_rows(loading, &insert_unjudged, &unjudged);
    row_set_free(&unjudged);
    buf_free(&stream);
    return done;
}
