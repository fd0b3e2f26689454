/* SPDX-License-Identifier: BSD-2-Clause */
/* sink_batch - see sink_private.h: events from the outbox to the other side, and what became of each back. */

#include "relay/sink_private.h"

#include "common/row_set.h"

static void take_row(void *arg, const struct store_outbox_row *row)
{
    struct sink *sink = arg;
    struct parcel *parcel = &sink->parcel[sink->parcels];

    if (sink->parcels == sink->most)
        return;
    *parcel = (struct parcel){.outcome = PARCEL_LATER};
    if (!event_read(row->item, &parcel->event))
        parcel_end(parcel, PARCEL_DEAD, "the database describes it in a way that is not understood");
    parcel->event.number = row->number;
    parcel->event.attempts = row->attempts;
    sink->parcels++;
}

void sink_batch_forget(struct sink *sink)
{
    while (sink->parcels)
        event_free(&sink->parcel[--sink->parcels].event);
}

/* As many requests as a batch may take, each as long as it may last, and one to spare. */
static int64_t lease_ms(const struct sink *sink)
{
    size_t requests = sink->type->requests + sink->most * sink->type->requests_each + 1;

    return (int64_t)requests * sink->settings->timeout_ms + 1000;
}

enum store_answer sink_batch_claim(struct sink *sink)
{
    const struct conf_sink *settings = sink->settings;
    struct store_claim claim = {
        .sink = settings->name,
        .lease = sink->lease,
        .lease_ms = lease_ms(sink),
        .most = sink->most,
        .reply_text = sink_wants_text(sink),
        .by_choice = sink->type->to_sender,
    };

    return store_claim_outbox(sink->db, &claim, take_row, sink, SINK_QUESTION_MS);
}

/* Whoever was refused often enough is given up. */
static void judge(const struct sink *sink, struct parcel *parcel)
{
    if (parcel->outcome == PARCEL_AGAIN && parcel->event.attempts + 1 >= sink->settings->attempts)
        parcel->outcome = PARCEL_DEAD;
}

static void count(struct sink *sink, enum parcel_outcome outcome)
{
    pthread_mutex_lock(&sink->lock);
    sink->counts.sent += outcome == PARCEL_SENT;
    sink->counts.dropped += outcome == PARCEL_DROPPED;
    sink->counts.dead += outcome == PARCEL_DEAD;
    sink->counts.again += outcome == PARCEL_AGAIN || outcome == PARCEL_LATER;
    pthread_mutex_unlock(&sink->lock);
}

static const char *outcome_word(enum parcel_outcome outcome)
{
    static const char *const words[] = {[PARCEL_LATER] = "later", [PARCEL_AGAIN] = "again", [PARCEL_SENT] = "sent",
                                        [PARCEL_DROPPED] = "dropped", [PARCEL_DEAD] = "dead"};

    return words[outcome];
}

static void log_parcel(const struct sink *sink, const struct parcel *parcel)
{
    int priority = parcel->outcome == PARCEL_DEAD ? LOG_ERR : parcel->outcome == PARCEL_LATER ? LOG_DEBUG : LOG_INFO;

    log_line(priority, "sink=%s outcome=%s what=%s id=%s attempt=%lld: %s", sink_name(sink), outcome_word(parcel->outcome),
             parcel->event.what ? parcel->event.what : "", parcel->event.key ? parcel->event.key : "",
             (long long)parcel->event.attempts + 1, parcel->result);
}

static bool write_down(struct sink *sink, int64_t pause_ms)
{
    enum store_answer answer;
    struct row_set row;

    row_set_init(&row, STORE_OUTCOME_COLUMNS);
    for (size_t n = 0; n < sink->parcels; n++) {
        struct parcel *parcel = &sink->parcel[n];
        bool again = parcel->outcome == PARCEL_AGAIN;

        judge(sink, parcel);
        count(sink, parcel->outcome);
        log_parcel(sink, parcel);
        row_set_integer(&row, parcel->event.number);
        row_set_text(&row, slice_str(outcome_word(parcel->outcome)));
        row_set_text(&row, slice_str(parcel->result));
        row_set_integer(&row, again ? sink_wait_after(sink, parcel->event.attempts + 1) : parcel->outcome == PARCEL_LATER ? pause_ms : 0);
    }
    answer = store_end_outbox(sink->db, sink->lease, &row, SINK_QUESTION_MS);
    row_set_free(&row);
    return answer != STORE_AWAY;
}

/* What could be read goes; what could not stands behind it, and has its outcome. */
static size_t readable_first(struct sink *sink)
{
    size_t readable = 0;

    for (size_t n = 0; n < sink->parcels; n++) {
        struct parcel parcel = sink->parcel[n];

        if (!parcel.event.root)
            continue;
        sink->parcel[n] = sink->parcel[readable];
        sink->parcel[readable++] = parcel;
    }
    return readable;
}

static int64_t pause_after(struct sink *sink, const struct sink_pause *pause)
{
    if (!pause->away) {
        sink->failures = 0;
        return 0;
    }
    sink->failures++;
    return pause->for_ms ? pause->for_ms : sink_wait_after(sink, sink->failures);
}

bool sink_batch_send(struct sink *sink)
{
    struct sink_pause pause = {0};
    size_t readable = readable_first(sink);
    int64_t pause_ms;
    struct buf why;
    bool done;

    buf_init(&why, SINK_WHY_MAX);
    if (readable)
        pause = sink->type->send(sink->opened, sink->parcel, readable, &why);
    pause_ms = pause_after(sink, &pause);
    done = write_down(sink, pause_ms) && sink_tell_trouble(sink, pause.away ? buf_text(&why) : NULL);
    buf_free(&why);
    if (done && pause_ms)
        sink_rest(sink, pause_ms);
    return done;
}
