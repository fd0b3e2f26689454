/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader - see loader.h
 *
 * One thread. It is always in one of two states: without a session it connects, finds out from the database how
 * far the spool is loaded and places its reader there; with a session it loads batch after batch. Whatever
 * fails ends the session, for only the database knows whether a commit came through.
 */

#include "common/loader.h"

#include "common/clock.h"
#include "common/loader_batch.h"
#include "common/loader_forget.h"
#include "common/log.h"
#include "common/record.h"
#include "common/store.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MS = 200,          /* at most one transaction in this time while there is little to do */
    CONNECT_MS = 5000,
    QUESTION_MS = 5000,
    LOAD_MS = 60000,         /* unless the options say otherwise */
    HASTE = 4,               /* a batch that took less than this part of its time may grow again */
    PAUSE_FIRST_MS = 100,    /* after a failure, doubling */
    PAUSE_LAST_MS = 10000,
    ERROR_MAX = 2048,
    AWAY_REMINDER_S = 600,
    IDLE_MS = 1000
};

struct loader {
    struct spool *spool;
    char *program;
    char *host;
    bool want_node;
    void (*node_known)(void *arg, int node);
    void *arg;
    int load_ms;
    pthread_t thread;

    pthread_mutex_t lock; /* of what stands below, up to the blank line */
    pthread_cond_t changed;
    bool stopping;
    int64_t stop_by_ms;
    struct loader_state state;
    int64_t oldest_us; /* time of the oldest record not loaded, 0 when none */
    enum loader_start start;
    struct buf unfit; /* why, once START says so */

    /* the thread's own */
    struct db *db;
    struct store_memory *memory;
    struct store_progress progress;
    struct spool_reader *reader;
    bool looked_back;  /* since it connected, at older identities of the spool */
    bool inherited;    /* reads what a copied folder brought along, under its old identity */
    uint64_t furthest; /* position that the database has had */
    uint64_t gap;      /* 1 more than the position behind which records were missed last, so that it is said once */
    struct loader_forget forget;
    struct buf left;   /* of the last record, where part of it is left out */
    struct loader_batch *batch;
    struct buf why;
    bool node_leased;
    bool said_away;
    int64_t pause_ms;
    struct log_throttle away;
};

enum step { STEP_ON, STEP_AGAIN /* a new session after a pause */, STEP_HALT };

/* stopping and pausing */

static bool is_stopping(struct loader *loader)
{
    bool stopping;

    pthread_mutex_lock(&loader->lock);
    stopping = loader->stopping;
    pthread_mutex_unlock(&loader->lock);
    return stopping;
}

/* MOST_MS, or what is left until the drain ends. */
static int allowed_ms(struct loader *loader, int most_ms)
{
    int64_t left = most_ms;

    pthread_mutex_lock(&loader->lock);
    if (loader->stopping && loader->stop_by_ms - clock_monotonic_ms() < left)
        left = loader->stop_by_ms - clock_monotonic_ms();
    pthread_mutex_unlock(&loader->lock);
    return left > 0 ? (int)left : 0;
}

/* Until the time has passed or somebody wants the loader to stop. */
static void pause_for(struct loader *loader, int64_t milliseconds)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + milliseconds);

    pthread_mutex_lock(&loader->lock);
    while (!loader->stopping && pthread_cond_timedwait(&loader->changed, &loader->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&loader->lock);
}

/* the state that others see */

static void note_connected(struct loader *loader, bool connected)
{
    pthread_mutex_lock(&loader->lock);
    loader->state.connected = connected;
    pthread_mutex_unlock(&loader->lock);
}

static void note_loaded(struct loader *loader, size_t rejected)
{
    pthread_mutex_lock(&loader->lock);
    loader->state.loaded = loader->progress.position;
    loader->state.rejected += rejected;
    loader->oldest_us = 0;
    pthread_mutex_unlock(&loader->lock);
}

static void note_waiting(struct loader *loader, int64_t time_us)
{
    pthread_mutex_lock(&loader->lock);
    if (loader->oldest_us == 0 || time_us < loader->oldest_us)
        loader->oldest_us = time_us;
    pthread_mutex_unlock(&loader->lock);
}

struct loader_state loader_state(struct loader *loader)
{
    struct loader_state state;
    int64_t oldest_us;

    pthread_mutex_lock(&loader->lock);
    state = loader->state;
    oldest_us = loader->oldest_us;
    pthread_mutex_unlock(&loader->lock);
    state.waiting = spool_waiting(loader->spool, state.loaded);
    if (state.waiting && oldest_us)
        state.lag_s = (double)(clock_wall_us() - oldest_us) / 1e6;
    if (state.lag_s < 0)
        state.lag_s = 0;
    return state;
}

/* True when it was not known before. */
static bool note_start(struct loader *loader, enum loader_start start)
{
    bool is_first;

    pthread_mutex_lock(&loader->lock);
    is_first = loader->start == LOADER_PENDING;
    if (is_first) {
        loader->start = start;
        buf_add_str(&loader->unfit, buf_text(&loader->why));
        pthread_cond_broadcast(&loader->changed);
    }
    pthread_mutex_unlock(&loader->lock);
    return is_first;
}

enum loader_start loader_wait_start(struct loader *loader, int timeout_ms, struct buf *why)
{
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + timeout_ms);
    enum loader_start start;

    pthread_mutex_lock(&loader->lock);
    while (loader->start == LOADER_PENDING
           && pthread_cond_timedwait(&loader->changed, &loader->lock, &until) != ETIMEDOUT)
        ;
    start = loader->start;
    if (start == LOADER_UNFIT)
        buf_add_str(why, buf_text(&loader->unfit));
    pthread_mutex_unlock(&loader->lock);
    return start;
}

/* When the first record behind LOADED was made; now, if that cannot be read. */
static int64_t oldest_time(struct loader *loader, uint64_t loaded)
{
    struct spool_reader *reader = spool_reader_new(loader->spool, loaded);
    int64_t time_us = clock_wall_us();
    struct spool_record record;

    if (reader && spool_reader_next(reader, &record) == SPOOL_READ_RECORD)
        record_time(record.kind, record.payload, &time_us);
    spool_reader_free(reader);
    return time_us;
}

/* Whatever it was that ended a session, records wait from now on: who watches the lag shall see it. */
static void note_held_up(struct loader *loader)
{
    struct loader_state state = loader_state(loader);
    bool known;

    pthread_mutex_lock(&loader->lock);
    known = loader->oldest_us != 0;
    pthread_mutex_unlock(&loader->lock);
    if (state.waiting && !known)
        note_waiting(loader, oldest_time(loader, state.loaded));
}

/* a session */

static void end_session(struct loader *loader)
{
    note_held_up(loader);
    spool_reader_free(loader->reader);
    loader->reader = NULL;
    store_memory_free(loader->memory);
    loader->memory = NULL;
    note_connected(loader, false);
}

static enum step away(struct loader *loader, const char *doing)
{
    const char *reason = buf_text(&loader->why);

    if (reason[0] == '\0')
        reason = db_error(loader->db);
    if (!loader->said_away)
        log_warn("cannot %s the database: %s; records wait in the spool", doing, reason);
    else
        log_throttled(&loader->away, LOG_WARNING, "still cannot %s the database: %s", doing, reason);
    loader->said_away = true;
    note_start(loader, LOADER_AWAY);
    return STEP_AGAIN;
}

/* The last record that the database knows, as it stands in the spool. SPOOL_READ_FAILED without memory, too. */
static enum spool_read read_last(struct loader *loader, struct spool_record *record)
{
    struct spool_reader *reader = spool_reader_new(loader->spool, loader->progress.record);
    enum spool_read read = reader ? spool_reader_next(reader, record) : SPOOL_READ_FAILED;

    spool_reader_free(reader);
    return read;
}

/*
 * Does the database know the spool as it is, or another life of it, from which the folder was set back? A last
 * record that cannot be read says nothing; but when the folder notes the same position as the database, both
 * speak of the same life.
 */
static bool is_same_life(struct loader *loader)
{
    const struct store_progress *progress = &loader->progress;
    struct spool_record record;

    if (progress->position > spool_end(loader->spool))
        return false;
    if (progress->position == 0 || progress->record < spool_first(loader->spool))
        return true; /* there is nothing left to compare with */
    switch (read_last(loader, &record)) {
    case SPOOL_READ_RECORD:
        return record.position == progress->record && record.end == progress->position
               && record.checksum == progress->checksum;
    case SPOOL_READ_END:
        return false;
    default:
        log_warn("the last record loaded, at position %" PRIu64 " of the spool, cannot be read any more", progress->record);
        return spool_loaded(loader->spool) == progress->position;
    }
}

static enum store_answer find_progress(struct loader *loader, const uint8_t identity[SPOOL_IDENTITY_BYTES])
{
    return store_progress(loader->db, identity, loader->host, loader->program, &loader->progress,
                          allowed_ms(loader, QUESTION_MS));
}

static enum step start_reading(struct loader *loader, struct spool_reader *reader)
{
    loader->reader = reader;
    if (!reader)
        log_err("no memory to read the spool");
    return reader ? STEP_ON : STEP_AGAIN;
}

static enum step place_inherited(struct loader *loader, const struct spool_inherited *inherited)
{
    loader->inherited = true;
    if (find_progress(loader, inherited->identity) == STORE_AWAY)
        return away(loader, "ask");
    return start_reading(loader, spool_reader_new_inherited(loader->spool, loader->progress.position));
}

static enum step renew(struct loader *loader)
{
    log_warn("the database knows another life of this spool, up to position %" PRIu64 "; it gets a new identity, "
             "and what was appended from position %" PRIu64 " on is loaded again",
             loader->progress.position, spool_loaded(loader->spool));
    if (!spool_renew(loader->spool, &loader->why)) {
        log_err("%s", buf_text(&loader->why));
        return STEP_AGAIN;
    }
    loader->node_leased = false;
    loader->furthest = 0;
    return STEP_ON;
}

/* What is not kept any more had been loaded; a database that has not got it now was set back too far. */
static void look_for_gap(struct loader *loader)
{
    uint64_t gone = spool_gone(loader->spool);

    if (loader->progress.position < gone && loader->gap != loader->progress.position + 1) {
        log_err("the database has this spool up to position %" PRIu64 ", and its records are kept from %" PRIu64
                " only: what lay between is lost", loader->progress.position, gone);
        loader->gap = loader->progress.position + 1;
    }
    if (loader->progress.position < loader->furthest)
        log_warn("the database was set back: loading again from position %" PRIu64, loader->progress.position);
    loader->furthest = loader->progress.position;
}

static bool seems_set_back(struct loader *loader)
{
    return loader->progress.position == 0 || loader->progress.position < spool_loaded(loader->spool);
}

/* A database that was set back may also lack what it had under older identities of this spool. */
static enum step look_back(struct loader *loader)
{
    struct spool_inherited past;

    loader->looked_back = true;
    for (size_t n = 0; spool_past(loader->spool, n, &past); n++) {
        if (find_progress(loader, past.identity) == STORE_AWAY)
            return away(loader, "ask");
        if (loader->progress.position >= past.end)
            continue;
        log_warn("the database was set back: what it had of an older identity of the spool is loaded again from position"
                 " %" PRIu64, loader->progress.position);
        if (!spool_inherit(loader->spool, n, &loader->why)) {
            log_err("%s", buf_text(&loader->why));
            return STEP_AGAIN;
        }
    }
    return STEP_ON;
}

/* Agrees with the database on where to go on. */
static enum step place(struct loader *loader)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    struct spool_inherited inherited;

    if (spool_inherited(loader->spool, &inherited))
        return place_inherited(loader, &inherited);
    loader->inherited = false;
    spool_identity(loader->spool, identity);
    if (find_progress(loader, identity) == STORE_AWAY)
        return away(loader, "ask");
    if (!loader->looked_back && seems_set_back(loader)) {
        enum step step = look_back(loader);

        return step == STEP_ON ? place(loader) : step;
    }
    if (!is_same_life(loader)) {
        if (renew(loader) != STEP_ON)
            return STEP_AGAIN;
        spool_identity(loader->spool, identity);
        if (find_progress(loader, identity) == STORE_AWAY)
            return away(loader, "ask");
    }
    look_for_gap(loader);
    spool_release(loader->spool, loader->progress.position);
    return start_reading(loader, spool_reader_new(loader->spool, loader->progress.position));
}

static enum step lease_node(struct loader *loader)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    int node;

    if (!loader->want_node || loader->node_leased)
        return STEP_ON;
    spool_identity(loader->spool, identity);
    switch (store_lease_node(loader->db, identity, loader->host, loader->program, &node, allowed_ms(loader, QUESTION_MS))) {
    case STORE_AWAY:
        return away(loader, "ask");
    case STORE_NO:
        log_err("all node numbers are taken: delete those of hosts that are gone from spoor.node");
        return STEP_AGAIN;
    default:
        loader->node_leased = true;
        if (loader->node_known)
            loader->node_known(loader->arg, node);
        return STEP_ON;
    }
}

/* Before anything is loaded: nothing of them may be. */
static enum step learn_forgotten(struct loader *loader)
{
    switch (loader_forget_learn(&loader->forget, loader->db, &loader->why, allowed_ms(loader, QUESTION_MS))) {
    case STORE_YES:
        return STEP_ON;
    case STORE_NO:
        log_throttled(&loader->away, LOG_ERR, "cannot load the spool: %s", buf_text(&loader->why));
        return STEP_AGAIN;
    default:
        return away(loader, "ask");
    }
}

static enum step begin_session(struct loader *loader)
{
    enum step step;

    buf_reset(&loader->why);
    loader->looked_back = false;
    if (!db_connect(loader->db, allowed_ms(loader, CONNECT_MS)))
        return away(loader, "reach");
    switch (store_schema_fits(loader->db, &loader->why, allowed_ms(loader, QUESTION_MS))) {
    case STORE_AWAY:
        return away(loader, "ask");
    case STORE_NO:
        if (note_start(loader, LOADER_UNFIT))
            return STEP_AGAIN; /* whoever waits for the start says so and ends; else the next attempt does */
        log_throttled(&loader->away, LOG_ERR, "cannot load the spool: %s", buf_text(&loader->why));
        return STEP_AGAIN;
    default:
        break;
    }
    step = learn_forgotten(loader);
    if (step != STEP_ON)
        return step;
    note_start(loader, LOADER_READY);
    loader->memory = store_memory_new();
    if (!loader->memory)
        return STEP_AGAIN;
    step = place(loader);
    if (step == STEP_ON)
        step = lease_node(loader);
    if (step == STEP_ON && loader_forget_begin(&loader->forget, loader->db, loader->progress.spool,
                                               allowed_ms(loader, QUESTION_MS)) == STORE_AWAY)
        step = away(loader, "ask");
    if (step != STEP_ON)
        return step;
    if (loader->said_away)
        log_notice("the database is back; %" PRIu64 " bytes wait in the spool",
                   spool_waiting(loader->spool, loader->progress.position));
    loader->said_away = false;
    note_loaded(loader, 0);
    note_connected(loader, true);
    return STEP_ON;
}

/* batches */

/* What is there now, up to a batch. STEP_HALT at a record that this program does not know; those before it are in the batch. */
static enum step fill_batch(struct loader *loader)
{
    struct loader_batch *batch = loader->batch;
    struct spool_record record;

    loader_batch_reset(batch);
    while (loader_batch_has_room(batch)) {
        switch (spool_reader_next(loader->reader, &record)) {
        case SPOOL_READ_END:
            return STEP_ON;
        case SPOOL_READ_SKIPPED:
            log_err("the spool is damaged: records before position %" PRIu64 " cannot be read and are passed over",
                    spool_reader_position(loader->reader));
            continue;
        case SPOOL_READ_FAILED:
            log_err("cannot read the spool: %m");
            return STEP_AGAIN;
        case SPOOL_READ_RECORD:
            break;
        }
        if (!store_knows(record.kind)) {
            log_err("the spool holds a record of kind %u at position %" PRIu64
                    ", which this program is too old to know; nothing is loaded until a newer one runs", record.kind, record.position);
            return STEP_HALT;
        }
        loader_forget_record(&record, &loader->left);
        if (!loader_batch_keep(batch, &record)) {
            log_err("no memory for a batch of the spool");
            return STEP_AGAIN;
        }
    }
    return STEP_ON;
}

static enum step overtaken(void)
{
    log_warn("another loader has moved this spool on; is the folder used twice, or was it copied?");
    return STEP_AGAIN;
}

static enum step set_aside(struct loader *loader, const struct spool_record *record)
{
    bool conflict;

    log_err("record at position %" PRIu64 " was refused and is set aside in spoor.rejected: %s", record->position,
            buf_text(&loader->why));
    loader->progress.forgotten = loader->forget.number;
    switch (store_reject(loader->db, &loader->progress, record, buf_text(&loader->why), &conflict,
                         allowed_ms(loader, QUESTION_MS))) {
    case STORE_YES:
        note_loaded(loader, 1);
        return STEP_ON;
    case STORE_NO:
        return overtaken();
    default:
        buf_reset(&loader->why);
        return away(loader, "write to");
    }
}

/* Halves what is refused until the bad record stands alone: fourteen levels for ten thousand records. */
static enum step load_records(struct loader *loader, const struct spool_record *record, size_t count)
{
    bool conflict;
    enum step step;

    buf_reset(&loader->why);
    loader->progress.forgotten = loader->forget.number;
    switch (store_load(loader->db, loader->memory, &loader->progress, record, count, &conflict, &loader->why,
                       allowed_ms(loader, loader->load_ms))) {
    case STORE_YES:
        note_loaded(loader, 0);
        return STEP_ON;
    case STORE_AWAY:
        return loader->progress.outdated ? STEP_AGAIN : away(loader, "write to"); /* learns who is new, and comes again */
    case STORE_NO:
        break;
    }
    if (conflict)
        return overtaken();
    if (count == 1)
        return set_aside(loader, record);
    step = load_records(loader, record, count / 2);
    return step == STEP_ON ? load_records(loader, record + count / 2, count - count / 2) : step;
}

/* A batch that was too slow would be so for ever; a smaller one may pass. */
static void fit_batch(struct loader *loader, bool loaded, int64_t took_ms)
{
    struct loader_batch *batch = loader->batch;

    if (!loaded && took_ms >= loader->load_ms) {
        batch->most = batch->count > 1 ? batch->count / 2 : 1;
        loader->pause_ms = 0;
        log_warn("a batch of %zu records took more than %d ms; trying %zu", batch->count, loader->load_ms, batch->most);
    } else if (loaded && took_ms < loader->load_ms / HASTE && batch->most < LOADER_BATCH_RECORDS) {
        batch->most = batch->most * 2 < LOADER_BATCH_RECORDS ? batch->most * 2 : LOADER_BATCH_RECORDS;
    }
}

/* One batch. STEP_HALT when nothing more can be loaded by this program. */
static enum step load_batch(struct loader *loader)
{
    enum step filled = fill_batch(loader);
    int64_t start_ms = clock_monotonic_ms();
    enum step loaded;

    if (filled == STEP_AGAIN || loader->batch->count == 0)
        return filled;
    note_waiting(loader, loader_batch_time(loader->batch));
    loaded = load_records(loader, loader_batch_records(loader->batch), loader->batch->count);
    fit_batch(loader, loaded == STEP_ON, clock_monotonic_ms() - start_ms);
    if (loaded != STEP_ON)
        return loaded;
    loader->pause_ms = 0;
    if (!loader->inherited) {
        loader->furthest = loader->progress.position;
        spool_release(loader->spool, loader->progress.position);
    }
    return filled;
}

/* All that the folder brought along is loaded: on to its own records. */
static enum step settle(struct loader *loader)
{
    buf_reset(&loader->why);
    if (!spool_inherited_settle(loader->spool, &loader->why)) {
        log_err("%s", buf_text(&loader->why));
        return STEP_AGAIN;
    }
    spool_reader_free(loader->reader);
    loader->reader = NULL;
    return place(loader);
}

/* What is to go from the spool goes; a session that is told of somebody new ends, for the next begins by learning whom. */
static enum step forget(struct loader *loader)
{
    if (loader->batch->count == 0 && loader_forget_is_news(loader->db))
        return STEP_AGAIN;
    if (loader->inherited)
        return STEP_ON;
    return loader_forget_go_on(&loader->forget, loader->db, loader->spool, loader->progress.spool, loader->progress.position,
                               allowed_ms(loader, QUESTION_MS)) == STORE_AWAY
               ? away(loader, "write to")
               : STEP_ON;
}

/* Batches until something ends the session, or until the spool is empty and the loader shall stop. */
static enum step run_session(struct loader *loader)
{
    for (;;) {
        int64_t start_ms = clock_monotonic_ms();
        uint64_t seen = spool_durable(loader->spool);
        enum step step = load_batch(loader);

        if (step == STEP_ON)
            step = forget(loader);
        if (step == STEP_ON && loader->batch->count == 0 && loader->inherited) {
            step = settle(loader);
            if (step == STEP_ON)
                continue;
        }
        if (step != STEP_ON)
            return step;
        if (is_stopping(loader) && (loader->batch->count == 0 || allowed_ms(loader, 1) == 0))
            return STEP_ON;
        if (loader->batch->count == 0)
            spool_wait(loader->spool, seen, IDLE_MS);
        else if (loader->batch->count < loader->batch->most / 2)
            pause_for(loader, start_ms + BATCH_MS - clock_monotonic_ms());
    }
}

static void *run(void *arg)
{
    struct loader *loader = arg;
    enum step step = STEP_AGAIN;

    while (step == STEP_AGAIN) {
        step = begin_session(loader);
        if (step == STEP_ON)
            step = run_session(loader);
        end_session(loader);
        if (step != STEP_AGAIN || is_stopping(loader))
            break; /* what could not be loaded stays in the spool */
        loader->pause_ms = loader->pause_ms ? loader->pause_ms * 2 : PAUSE_FIRST_MS;
        if (loader->pause_ms > PAUSE_LAST_MS)
            loader->pause_ms = PAUSE_LAST_MS;
        pause_for(loader, loader->pause_ms);
    }
    return NULL;
}

/* life */

static void loader_free(struct loader *loader)
{
    db_free(loader->db);
    loader_batch_free(loader->batch);
    buf_free(&loader->why);
    buf_free(&loader->unfit);
    buf_free(&loader->left);
    free(loader->program);
    free(loader->host);
    pthread_cond_destroy(&loader->changed);
    pthread_mutex_destroy(&loader->lock);
    free(loader);
}

static struct loader *loader_new(struct spool *spool, const struct loader_options *options)
{
    struct loader *loader = calloc(1, sizeof *loader);

    if (!loader)
        return NULL;
    pthread_mutex_init(&loader->lock, NULL);
    clock_condition_init(&loader->changed);
    buf_init(&loader->why, ERROR_MAX);
    buf_init(&loader->unfit, ERROR_MAX);
    buf_init(&loader->left, RECORD_BYTES_MAX);
    loader->away.every_seconds = AWAY_REMINDER_S;
    loader->spool = spool;
    loader->program = strdup(options->program);
    loader->host = strdup(options->host);
    loader->want_node = options->want_node;
    loader->node_known = options->node_known;
    loader->arg = options->arg;
    loader->load_ms = options->load_ms ? options->load_ms : LOAD_MS;
    loader->db = db_new(options->conninfo, options->program);
    loader->batch = loader_batch_new();
    if (!loader->program || !loader->host || !loader->db || !loader->batch) {
        loader_free(loader);
        return NULL;
    }
    loader->state.loaded = spool_loaded(spool); /* until the database says more */
    return loader;
}

struct loader *loader_start(struct spool *spool, const struct loader_options *options, struct buf *error)
{
    struct loader *loader = loader_new(spool, options);
    int failure;

    if (!loader) {
        buf_add_str(error, "no memory for the loader");
        return NULL;
    }
    failure = pthread_create(&loader->thread, NULL, run, loader);
    if (failure) {
        buf_add_f(error, "cannot start the loader's thread: %s", strerrordesc_np(failure));
        loader_free(loader);
        return NULL;
    }
    return loader;
}

void loader_stop(struct loader *loader, int drain_ms)
{
    if (!loader)
        return;
    pthread_mutex_lock(&loader->lock);
    loader->stopping = true;
    loader->stop_by_ms = clock_monotonic_ms() + drain_ms;
    pthread_cond_broadcast(&loader->changed);
    pthread_mutex_unlock(&loader->lock);
    db_end_by(loader->db, drain_ms);
    spool_wake(loader->spool);
    pthread_join(loader->thread, NULL);
    loader_free(loader);
}
