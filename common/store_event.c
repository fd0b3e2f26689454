/* SPDX-License-Identifier: BSD-2-Clause */
/* store_event - see store_event.h */

#include "common/store_event.h"

#include "common/copy_stream.h"

enum { COLUMNS = 11 };

/* In the order of the enums. */
char hit_kind_letter(enum hit_kind kind)
{
    return kind == HIT_VIEW ? 'v' : 'c';
}

char document_act_letter(enum document_act act)
{
    return (size_t)act < 4 ? "FFRD"[act] : 'F';
}

char hit_verdict_letter(enum hit_verdict verdict)
{
    return (size_t)verdict < 6 ? "uhpfbs"[verdict] : 'u';
}

char answer_class_letter(enum answer_class class_)
{
    return (size_t)class_ < 12 ? "nopdbwtamlxr"[class_] : 'n';
}

const char store_copy_events[] =
    "copy spoor.event (at_time, message, record, recipient, agent, spool, link, kind, verdict, reason, address)"
    " from stdin (format binary)";

void store_event_row(struct buf *stream, int32_t spool, const struct store_event *event)
{
    copy_row(stream, COLUMNS);
    copy_time(stream, event->time_us);
    copy_int64(stream, (int64_t)event->message);
    copy_int64(stream, (int64_t)event->record);
    copy_int32(stream, (int32_t)event->recipient);
    copy_int32(stream, event->agent_number);
    copy_int16(stream, (int16_t)spool);
    copy_int16(stream, (int16_t)event->link);
    copy_char(stream, event->kind);
    copy_char(stream, event->verdict);
    copy_int16(stream, (int16_t)event->reason_number);
    copy_address(stream, event->address, event->address_bytes);
}

const struct db_statement store_insert_clocks = {
    "insert_clocks",
    "insert into spoor.event_clock (spool, record, claimed_at) select spool, record, spoor.from_microseconds(at)"
    " from unnest($1::smallint[], $2::bigint[], $3::bigint[]) as row (spool, record, at)", STORE_CLOCK_COLUMNS};

void store_clock_row(struct row_set *row, int32_t spool, uint64_t record, int64_t claimed_us)
{
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)record);
    row_set_integer(row, claimed_us);
}

const struct db_statement store_insert_devices = {
    "insert_devices",
    "insert into spoor.event_device (spool, record, device) select spool, record, device::uuid"
    " from unnest($1::smallint[], $2::bigint[], $3::text[]) as row (spool, record, device)", STORE_DEVICE_COLUMNS};

void store_device_row(struct row_set *row, int32_t spool, const struct store_event *event)
{
    if (!event->has_device)
        return;
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_hex(row, event->device, sizeof event->device);
}

const struct db_statement store_insert_unjudged = {
    "insert_unjudged",
    "insert into spoor.unjudged_hit (spool, record, at_time, target, verdict, reason, agent, address)"
    " select spool, record, spoor.from_microseconds(at), target, verdict::\"char\", reason, agent, address::inet"
    " from unnest($1::smallint[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::smallint[], $7::integer[],"
    "  $8::text[]) as row (spool, record, at, target, verdict, reason, agent, address)", STORE_UNJUDGED_COLUMNS};

void store_unjudged_row(struct row_set *row, int32_t spool, const struct store_event *event)
{
    row_set_integer(row, spool);
    row_set_integer(row, (int64_t)event->record);
    row_set_integer(row, event->time_us);
    row_set_text(row, event->raw);
    row_set_text(row, slice_of(&event->verdict, 1));
    row_set_integer(row, event->reason_number);
    row_set_integer(row, event->agent_number);
    row_set_address(row, event->address, event->address_bytes);
}
