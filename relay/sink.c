/* SPDX-License-Identifier: BSD-2-Clause */
/* sink - see sink.h */

#include "relay/sink.h"

#include "common/clock.h"
#include "common/hex.h"
#include "common/log.h"
#include "common/row_set.h"
#include "common/store_outbox.h"
#include "common/utf8.h"
#include "relay/backoff.h"
#include "relay/sink_type.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum {
    CONNECT_MS = 5000,
    QUESTION_MS = 30000,
    WAKE_LEAST_MS = 20,
    TROUBLE_REMINDER_S = 300,
    PREPARE_MOST_MS = 60000, /* between two looks whether the other side is as it should be */
    WHY_MAX = 2000,
    LEASE_BYTES = 16
};

struct sink {
    const struct conf *conf;
    const struct conf_sink *settings;
    const struct sink_type *type;
    void *opened;
    struct db *db;
    pthread_t thread;
    pthread_mutex_t lock; /* of the four below */
    pthread_cond_t changed;
    bool stopping;
    bool waiting;         /* for the database, with nothing under way */
    struct sink_counts counts;

    /* of the thread alone */
    bool prepared;
    bool in_trouble;      /* and has said so */
    int64_t failures;     /* in a row */
    int64_t tended_ms;
    char lease[2 * LEASE_BYTES + 1];
    struct parcel *parcel;
    size_t parcels, most;
    struct log_throttle trouble, away;
};

const char *sink_name(const struct sink *sink)
{
    return sink->settings->name;
}

struct sink_counts sink_counts(struct sink *sink)
{
    struct sink_counts counts;

    pthread_mutex_lock(&sink->lock);
    counts = sink->counts;
    pthread_mutex_unlock(&sink->lock);
    return counts;
}

/* A mail about a reply goes to the mailbox where the reply itself is. */
static bool wants_text(const struct sink *sink)
{
    return sink->settings->reply_text && !sink->type->to_sender;
}

/* --- waiting ----------------------------------------------------------------------------------------- */

static bool is_stopping(struct sink *sink)
{
    bool stopping;

    pthread_mutex_lock(&sink->lock);
    stopping = sink->stopping;
    pthread_mutex_unlock(&sink->lock);
    return stopping;
}

static void rest(struct sink *sink, int64_t ms)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + ms);

    pthread_mutex_lock(&sink->lock);
    while (!sink->stopping && pthread_cond_timedwait(&sink->changed, &sink->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&sink->lock);
}

static void wait_for_news(struct sink *sink, int64_t ms)
{
    char channel[CHANNEL_BYTES];
    bool stopping;

    pthread_mutex_lock(&sink->lock);
    stopping = sink->stopping;
    sink->waiting = !stopping;
    pthread_mutex_unlock(&sink->lock);
    if (stopping)
        return;
    if (db_wait_notification(sink->db, (int)ms, channel))
        while (db_wait_notification(sink->db, 0, channel))
            ;
    pthread_mutex_lock(&sink->lock);
    sink->waiting = false;
    pthread_mutex_unlock(&sink->lock);
}

static uint8_t chance(void)
{
    uint8_t byte = 0;

    (void)!getrandom(&byte, sizeof byte, GRND_NONBLOCK);
    return byte;
}

static int64_t wait_after(const struct sink *sink, int64_t failures)
{
    return backoff_ms(failures, sink->settings->retry_first_ms, sink->settings->retry_most_ms, chance());
}

/* --- trouble ----------------------------------------------------------------------------------------- */

/* WHY may hold the other side's bytes. */
static enum store_answer enter(struct sink *sink, const char *why)
{
    enum store_answer answer;
    struct buf clean;

    buf_init(&clean, 3 * WHY_MAX);
    if (why)
        utf8_clean(slice_str(why), &clean);
    answer = store_enter_sink(sink->db, sink_name(sink), conf_sink_type_name(sink->settings->type), wants_text(sink),
                              why ? buf_text(&clean) : NULL, QUESTION_MS);
    buf_free(&clean);
    return answer;
}

/* WHY is NULL once all is well. Told to the database when it begins and when it ends. */
static bool tell_trouble(struct sink *sink, const char *why)
{
    if (why)
        log_throttled(&sink->trouble, LOG_WARNING, "sink=%s: %s", sink_name(sink), why);
    else if (sink->in_trouble)
        log_notice("sink=%s: all is well again", sink_name(sink));
    if (!why && !sink->in_trouble)
        return true;
    sink->in_trouble = why != NULL;
    if (!why)
        sink->trouble.next = 0;
    return enter(sink, why) != STORE_AWAY;
}

static int64_t pause_after(struct sink *sink, const struct sink_pause *pause)
{
    if (!pause->away) {
        sink->failures = 0;
        return 0;
    }
    sink->failures++;
    return pause->for_ms ? pause->for_ms : wait_after(sink, sink->failures);
}

/* --- one batch --------------------------------------------------------------------------------------- */

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

static void forget_parcels(struct sink *sink)
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

static enum store_answer claim(struct sink *sink)
{
    const struct conf_sink *settings = sink->settings;
    struct store_claim claim = {
        .sink = settings->name,
        .lease = sink->lease,
        .lease_ms = lease_ms(sink),
        .most = sink->most,
        .reply_text = wants_text(sink),
        .by_choice = sink->type->to_sender,
    };

    return store_claim_outbox(sink->db, &claim, take_row, sink, QUESTION_MS);
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
        row_set_integer(&row, again ? wait_after(sink, parcel->event.attempts + 1) : parcel->outcome == PARCEL_LATER ? pause_ms : 0);
    }
    answer = store_end_outbox(sink->db, sink->lease, &row, QUESTION_MS);
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

static bool send_batch(struct sink *sink)
{
    struct sink_pause pause = {0};
    size_t readable = readable_first(sink);
    int64_t pause_ms;
    struct buf why;
    bool done;

    buf_init(&why, WHY_MAX);
    if (readable)
        pause = sink->type->send(sink->opened, sink->parcel, readable, &why);
    pause_ms = pause_after(sink, &pause);
    done = write_down(sink, pause_ms) && tell_trouble(sink, pause.away ? buf_text(&why) : NULL);
    buf_free(&why);
    if (done && pause_ms)
        rest(sink, pause_ms);
    return done;
}

/* --- the thread -------------------------------------------------------------------------------------- */

static bool begin_session(struct sink *sink)
{
    uint8_t bytes[LEASE_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    hex_write(bytes, sizeof bytes, sink->lease);
    sink->tended_ms = 0;
    return db_connect(sink->db, CONNECT_MS) && store_listen_outbox(sink->db, QUESTION_MS) == STORE_YES &&
           enter(sink, NULL) == STORE_YES;
}

static bool prepare(struct sink *sink)
{
    struct buf why;
    bool told;

    buf_init(&why, WHY_MAX);
    sink->prepared = !sink->type->prepare || sink->type->prepare(sink->opened, &why);
    told = tell_trouble(sink, sink->prepared ? NULL : buf_text(&why));
    buf_free(&why);
    if (sink->prepared) {
        sink->failures = 0;
    } else if (told) {
        int64_t wait_ms = wait_after(sink, ++sink->failures);

        rest(sink, wait_ms < PREPARE_MOST_MS ? wait_ms : PREPARE_MOST_MS);
    }
    return told;
}

static bool tend(struct sink *sink)
{
    int64_t now_ms = clock_monotonic_ms();

    if (sink->tended_ms && now_ms - sink->tended_ms < sink->conf->relay.poll_ms)
        return true;
    sink->tended_ms = now_ms;
    return store_tend_outbox(sink->db, sink_name(sink), sink->type->to_sender, sink->conf->relay.keep_s,
                             QUESTION_MS) == STORE_YES;
}

/* With nothing to send: until something is due, or somebody says so. */
static bool idle(struct sink *sink)
{
    int64_t next_ms;

    if (store_next_outbox(sink->db, sink_name(sink), &next_ms, QUESTION_MS) == STORE_AWAY)
        return false;
    if (next_ms < WAKE_LEAST_MS)
        next_ms = WAKE_LEAST_MS;
    wait_for_news(sink, next_ms < sink->conf->relay.poll_ms ? next_ms : sink->conf->relay.poll_ms);
    return true;
}

static bool turn(struct sink *sink)
{
    enum store_answer answer;
    bool done;

    if (!sink->prepared)
        return prepare(sink);
    if (!tend(sink))
        return false;
    answer = claim(sink);
    done = answer == STORE_YES ? send_batch(sink) : answer == STORE_NO && idle(sink);
    forget_parcels(sink);
    return done;
}

static void *run(void *arg)
{
    struct sink *sink = arg;
    bool in_session = false;

    while (!is_stopping(sink)) {
        bool fine = in_session ? turn(sink) : begin_session(sink);

        in_session = fine && db_stands(sink->db);
        if (fine || is_stopping(sink))
            continue;
        log_throttled(&sink->away, LOG_WARNING, "sink=%s: cannot ask the database for what is to go: %s", sink_name(sink),
                      db_error(sink->db));
        rest(sink, 1000);
    }
    return NULL;
}

static struct sink *sink_new(const struct conf *conf, const struct conf_sink *settings, struct buf *error)
{
    struct sink *sink = calloc(1, sizeof *sink);
    struct buf why;

    if (!sink)
        return NULL;
    pthread_mutex_init(&sink->lock, NULL);
    clock_condition_init(&sink->changed);
    sink->conf = conf;
    sink->settings = settings;
    sink->type = sink_type_of(settings->type);
    sink->trouble.every_seconds = sink->away.every_seconds = TROUBLE_REMINDER_S;
    sink->most = settings->batch ? (size_t)settings->batch : sink->type->batch;
    sink->parcel = calloc(sink->most, sizeof *sink->parcel);
    sink->db = db_new(conf->database, "spoor-relay");
    buf_init(&why, WHY_MAX);
    sink->opened = sink->type->open(settings, &why);
    if (!sink->opened)
        buf_add_f(error, "sink %s: %s", settings->name, buf_text(&why));
    buf_free(&why);
    return sink;
}

static void release(struct sink *sink)
{
    if (sink->opened)
        sink->type->close(sink->opened);
    db_free(sink->db);
    free(sink->parcel);
    pthread_cond_destroy(&sink->changed);
    pthread_mutex_destroy(&sink->lock);
    free(sink);
}

struct sink *sink_start(const struct conf *conf, const struct conf_sink *settings, struct buf *error)
{
    struct sink *sink = sink_new(conf, settings, error);
    int failure = ENOMEM;

    if (sink && sink->opened && sink->db && sink->parcel)
        failure = pthread_create(&sink->thread, NULL, run, sink);
    if (failure == 0)
        return sink;
    if (error->len == 0)
        buf_add_f(error, "cannot start the thread of sink %s: %s", settings->name, strerrordesc_np(failure));
    if (sink)
        release(sink);
    return NULL;
}

void sink_begin_stop(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->stopping = true;
    if (sink->waiting)
        db_end_by(sink->db, 0); /* else what is under way is still to be written down */
    pthread_cond_broadcast(&sink->changed);
    pthread_mutex_unlock(&sink->lock);
}

void sink_free(struct sink *sink)
{
    if (!sink)
        return;
    sink_begin_stop(sink);
    pthread_join(sink->thread, NULL);
    release(sink);
}
