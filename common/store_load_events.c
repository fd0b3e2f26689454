/* SPDX-License-Identifier: BSD-2-Clause */
/* store_load_events - the events of one batch, of whatever kind its records are, and what sinks get of them */

#include "common/store_load_private.h"

#include "common/copy_stream.h"
#include "common/store_outbox.h"

#include <string.h>

enum { COPY_MAX = 64 * 1024 * 1024 };

static bool goes_in(const struct store_event *event)
{
    return !event->only_news || event->is_new;
}

static void add_event(struct loading *loading, struct buf *stream, const struct store_event *event)
{
    store_event_row(stream, loading->cargo.spool, event);
    if (event->time_us < loading->first_us)
        loading->first_us = event->time_us;
    if (event->time_us > loading->last_us)
        loading->last_us = event->time_us;
}

/* Events to STREAM, hits whose key is unknown to UNJUDGED. True when there are events. */
static bool sort_events(struct loading *loading, struct buf *stream, struct row_set *unjudged)
{
    const struct cargo *cargo = &loading->cargo;

    loading->first_us = INT64_MAX;
    loading->last_us = INT64_MIN;
    copy_begin(stream);
    for (size_t at = 0; at < cargo->events; at++) {
        const struct store_event *event = &cargo->event[at];

        if (!goes_in(event))
            continue;
        if (slice_empty(event->raw))
            add_event(loading, stream, event);
        else
            store_unjudged_row(unjudged, cargo->spool, event);
    }
    for (size_t at = 0; at < cargo->reads; at++)
        add_event(loading, stream, &cargo->read[at]);
    copy_end(stream);
    return loading->first_us <= loading->last_us;
}

/* Which of the events that go in came from a device of a sender. */
static bool insert_devices(struct loading *loading)
{
    const struct cargo *cargo = &loading->cargo;
    struct row_set rows;
    bool done;

    row_set_init(&rows, STORE_DEVICE_COLUMNS);
    for (size_t at = 0; at < cargo->events; at++)
        if (goes_in(&cargo->event[at]))
            store_device_row(&rows, cargo->spool, &cargo->event[at]);
    for (size_t at = 0; at < cargo->reads; at++)
        store_device_row(&rows, cargo->spool, &cargo->read[at]);
    done = loading_tell_rows(loading, &store_insert_devices, &rows);
    row_set_free(&rows);
    return done;
}

static bool copy_events(struct loading *loading)
{
    const struct db_meanwhile *meanwhile = loading->memory->meanwhile.call ? &loading->memory->meanwhile : NULL;
    struct row_set unjudged;
    struct buf stream;
    bool done;

    buf_init(&stream, COPY_MAX);
    row_set_init(&unjudged, STORE_UNJUDGED_COLUMNS);
    loading->refusable = true;
    done = !sort_events(loading, &stream, &unjudged)
           || (!stream.failed && db_copy(loading->db, store_copy_events, buf_slice(&stream), meanwhile, loading_left_ms(loading)));
    /* 23514: somebody dropped the partition of a month; it is made again */
    loading->refusable = !done && strcmp(db_sqlstate(loading->db), "23514") != 0;
    done = done && loading_tell_rows(loading, &store_insert_unjudged, &unjudged);
    row_set_free(&unjudged);
    buf_free(&stream);
    return done;
}

bool loading_insert_events(struct loading *loading)
{
    return insert_devices(loading) && copy_events(loading);
}

/* Answers of all kinds may be asked for; of hits those that a person may have made. */
static bool may_go_out(const struct store_event *event)
{
    if (event->only_news)
        return event->is_new;
    return slice_empty(event->raw) && strchr("hpu", event->verdict) != NULL;
}

static void add_outgoing(struct row_set *row, const struct store_event *event)
{
    row_set_integer(row, (int64_t)event->message);
    row_set_integer(row, (int64_t)event->record);
    row_set_text(row, slice_of(&event->kind, 1));
    row_set_integer(row, event->time_us);
    row_set_integer(row, (int32_t)event->recipient);
    row_set_integer(row, (int16_t)event->link);
}

/* What has just been loaded goes into the outbox as far as the rules want it. Without any rule this costs nothing. */
bool loading_fill_outbox(struct loading *loading)
{
    const struct row_set *mails = &loading->cargo.message;
    const char *values[2 + STORE_OUTBOX_COLUMNS];
    char spool[LOADING_NUMBER_TEXT];
    struct row_set rows;
    bool done = true;

    if (!loading->has_rules)
        return true;
    row_set_init(&rows, STORE_OUTBOX_COLUMNS);
    for (size_t at = 0; at < loading->cargo.events; at++)
        if (may_go_out(&loading->cargo.event[at]))
            add_outgoing(&rows, &loading->cargo.event[at]);
    for (size_t at = 0; at < loading->cargo.reads; at++)
        if (may_go_out(&loading->cargo.read[at]))
            add_outgoing(&rows, &loading->cargo.read[at]);
    if (rows.rows || mails->rows) {
        values[0] = mails->rows ? buf_text(&mails->column[0]) : "{}"; /* closed when they were inserted */
        values[1] = loading_number(spool, loading->cargo.spool);
        done = row_set_values(&rows, values + 2) && loading_tell(loading, &store_fill_outbox, values);
    }
    row_set_free(&rows);
    return done;
}
