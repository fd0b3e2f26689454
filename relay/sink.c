/* SPDX-License-Identifier: BSD-2-Clause */
/* sink - see sink.h; a batch is in sink_batch.c. */

#include "relay/sink_private.h"

#include "common/clock.h"
#include "common/hex.h"
#include "common/shard.h"
#include "common/utf8.h"
#include "relay/backoff.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum {
    CONNECT_MS = 5000,
    WAKE_LEAST_MS = 20,
    TROUBLE_REMINDER_S = 300,
    PREPARE_MOST_MS = 60000 /* between two looks whether the other side is as it should be */
};

const char *sink_name(const struct sink *sink)
{
    return sink->settings->name;
}

unsigned sink_shard(const struct sink *sink)
{
    return sink->shard;
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
bool sink_wants_text(const struct sink *sink)
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

void sink_rest(struct sink *sink, int64_t ms)
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

int64_t sink_wait_after(const struct sink *sink, int64_t failures)
{
    return backoff_ms(failures, sink->settings->retry_first_ms, sink->settings->retry_most_ms, chance());
}

/* --- trouble ----------------------------------------------------------------------------------------- */

/* WHY may hold the other side's bytes. */
static enum store_answer enter(struct sink *sink, const char *why)
{
    enum store_answer answer;
    struct buf clean;

    buf_init(&clean, 3 * SINK_WHY_MAX);
    if (why)
        utf8_clean(slice_str(why), &clean);
    answer = store_enter_sink(sink->db, sink_name(sink), conf_sink_type_name(sink->settings->type), sink_wants_text(sink),
                              why ? buf_text(&clean) : NULL, SINK_QUESTION_MS);
    buf_free(&clean);
    return answer;
}

bool sink_tell_trouble(struct sink *sink, const char *why)
{
    if (why)
        log_throttled(&sink->trouble, LOG_WARNING, "sink=%s trouble=begun: %s", sink_name(sink), why);
    else if (sink->in_trouble)
        log_notice("sink=%s trouble=ended", sink_name(sink));
    if (!why && !sink->in_trouble)
        return true;
    sink->in_trouble = why != NULL;
    if (!why)
        sink->trouble.next = 0;
    return enter(sink, why) != STORE_AWAY;
}

/* --- the thread -------------------------------------------------------------------------------------- */

static bool begin_session(struct sink *sink)
{
    uint8_t bytes[SINK_LEASE_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        return false;
    hex_write(bytes, sizeof bytes, sink->lease);
    sink->tended_ms = 0;
    return store_connect(sink->db, CONNECT_MS) && store_listen_outbox(sink->db, SINK_QUESTION_MS) == STORE_YES &&
           enter(sink, NULL) == STORE_YES;
}

static bool prepare(struct sink *sink)
{
    struct buf why;
    bool told;

    buf_init(&why, SINK_WHY_MAX);
    sink->prepared = !sink->type->prepare || sink->type->prepare(sink->opened, &why);
    told = sink_tell_trouble(sink, sink->prepared ? NULL : buf_text(&why));
    buf_free(&why);
    if (sink->prepared) {
        sink->failures = 0;
    } else if (told) {
        int64_t wait_ms = sink_wait_after(sink, ++sink->failures);

        sink_rest(sink, wait_ms < PREPARE_MOST_MS ? wait_ms : PREPARE_MOST_MS);
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
                             SINK_QUESTION_MS) == STORE_YES;
}

/* With nothing to send: until something is due, or somebody says so. */
static bool idle(struct sink *sink)
{
    int64_t next_ms;

    if (store_next_outbox(sink->db, sink_name(sink), &next_ms, SINK_QUESTION_MS) == STORE_AWAY)
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
    answer = sink_batch_claim(sink);
    done = answer == STORE_YES ? sink_batch_send(sink) : answer == STORE_NO && idle(sink);
    sink_batch_forget(sink);
    return done;
}

static void *run(void *arg)
{
    struct sink *sink = arg;
    bool in_session = false;
    char name[SHARD_NAME_BYTES];

    while (!is_stopping(sink)) {
        bool fine = in_session ? turn(sink) : begin_session(sink);

        in_session = fine && db_stands(sink->db);
        if (fine || is_stopping(sink))
            continue;
        log_throttled(&sink->away, LOG_WARNING, "sink=%s: cannot ask %s for what is to go: %s", sink_name(sink),
                      shard_name(sink->shard, name), db_error(sink->db));
        sink_rest(sink, 1000);
    }
    return NULL;
}

static struct sink *sink_new(const struct conf *conf, const struct conf_sink *settings, unsigned shard, struct buf *error)
{
    struct sink *sink = calloc(1, sizeof *sink);
    struct buf why;

    if (!sink)
        return NULL;
    pthread_mutex_init(&sink->lock, NULL);
    clock_condition_init(&sink->changed);
    sink->conf = conf;
    sink->settings = settings;
    sink->shard = shard;
    sink->type = sink_type_of(settings->type);
    sink->trouble.every_seconds = sink->away.every_seconds = TROUBLE_REMINDER_S;
    sink->most = settings->batch ? (size_t)settings->batch : sink->type->batch;
    sink->parcel = calloc(sink->most, sizeof *sink->parcel);
    sink->db = db_new_shard(shard_database(conf, shard), shard, "spoor-relay");
    buf_init(&why, SINK_WHY_MAX);
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

struct sink *sink_start(const struct conf *conf, const struct conf_sink *settings, unsigned shard, struct buf *error)
{
    struct sink *sink = sink_new(conf, settings, shard, error);
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
