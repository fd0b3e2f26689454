/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader - see loader.h
 *
 * One thread. It is always in one of two states: without a session it connects, finds out from the database how
 * far the spool is loaded and places its reader there; with a session it loads batch after batch. Whatever
 * fails ends the session, for only the database knows whether a commit came through. While the database is busy with
 * a full batch, the next one is read.
 */

#include "common/loader_private.h"

#include "common/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_MS = 200,          /* at most one transaction in this time while there is little to do */
    CONNECT_MS = 5000,
    LOAD_MS = 60000,         /* unless the options say otherwise */
    HASTE = 4,               /* a batch that took less than this part of its time may grow again */
    PAUSE_FIRST_MS = 100,    /* after a failure, doubling */
    PAUSE_LAST_MS = 10000,
    ERROR_MAX = 2048,
    AWAY_REMINDER_S = 600,
    IDLE_MS = 1000,
    NODE_AGAIN_MS = 2000     /* between two questions for a node number while there is none */
};

/* a session */

enum loader_step loader_away(struct loader *loader, const char *doing)
{
    const char *reason = buf_text(&loader->why);

    if (reason[0] == '\0')
        reason = db_error(loader->db);
    if (!loader->said_away)
        log_warn("cannot %s %s: %s; records wait in the spool", doing, loader->name, reason);
    else
        log_throttled(&loader->away, LOG_WARNING, "still cannot %s %s: %s", doing, loader->name, reason);
    loader->said_away = true;
    loader_note_start(loader, LOADER_AWAY);
    return STEP_AGAIN;
}

static void end_session(struct loader *loader)
{
    loader->keys.told = false;
    loader_note_held_up(loader);
    loader_release(loader);
    loader_fill_forget(loader);
    spool_reader_free(loader->reader);
    loader->reader = NULL;
    store_memory_free(loader->memory);
    loader->memory = NULL;
    loader_note_connected(loader, false);
}

/* Without a number no mail gets an id. What has one is loaded all the same, and by and by it is asked again. */
static enum loader_step lease_node(struct loader *loader)
{
    uint8_t identity[SPOOL_IDENTITY_BYTES];
    char name[SHARD_NAME_BYTES];
    int node;

    if (!loader->want_node || loader->node_leased || clock_monotonic_ms() < loader->node_again_ms)
        return STEP_ON;
    spool_identity(loader->spool, identity);
    switch (store_lease_node(loader->db, identity, loader->host, loader->program, loader->node_shard, &node,
                             loader_allowed_ms(loader, LOADER_QUESTION_MS))) {
    case STORE_AWAY:
        return loader_away(loader, "ask");
    case STORE_NO:
        log_throttled(&loader->no_node, LOG_ERR, "this host has no node number, so its mail goes untracked: all of %s are taken; delete "
                      "those of hosts that are gone from spoor.node", shard_name(loader->node_shard, name));
        loader->node_again_ms = clock_monotonic_ms() + NODE_AGAIN_MS;
        return STEP_ON;
    default:
        loader->node_leased = true;
        if (loader->node_known)
            loader->node_known(loader->arg, node);
        return STEP_ON;
    }
}

/* Before anything is loaded: nothing of them may be. */
static enum loader_step learn_forgotten(struct loader *loader)
{
    switch (loader_forget_learn(&loader->forget, loader->db, &loader->why, loader_allowed_ms(loader, LOADER_QUESTION_MS))) {
    case STORE_YES:
        return STEP_ON;
    case STORE_NO:
        log_throttled(&loader->misfit, LOG_ERR, "cannot load the spool: %s", buf_text(&loader->why));
        return STEP_AGAIN;
    default:
        return loader_away(loader, "ask");
    }
}

static enum loader_step begin_session(struct loader *loader)
{
    enum loader_step step;

    buf_reset(&loader->why);
    loader->looked_back = false;
    if (!db_connect(loader->db, loader_allowed_ms(loader, CONNECT_MS)))
        return loader_away(loader, "reach");
    switch (store_fits(loader->db, &loader->why, loader_allowed_ms(loader, LOADER_QUESTION_MS))) {
    case STORE_AWAY:
        return loader_away(loader, "ask");
    case STORE_NO:
        if (loader_note_start(loader, LOADER_UNFIT))
            return STEP_AGAIN; /* whoever waits for the start says so and ends; else the next attempt does */
        log_throttled(&loader->misfit, LOG_ERR, "cannot load the spool: %s", buf_text(&loader->why));
        return STEP_AGAIN;
    default:
        break;
    }
    step = learn_forgotten(loader);
    if (step != STEP_ON)
        return step;
    loader_note_start(loader, LOADER_READY);
    loader->memory = store_memory_new();
    if (!loader->memory)
        return STEP_AGAIN;
    store_memory_meanwhile(loader->memory, loader_fill_ahead, loader);
    step = loader_place(loader);
    if (step == STEP_ON)
        step = lease_node(loader);
    if (step == STEP_ON && loader_forget_begin(&loader->forget, loader->db, loader->progress.spool,
                                               loader_allowed_ms(loader, LOADER_QUESTION_MS)) == STORE_AWAY)
        step = loader_away(loader, "ask");
    if (step != STEP_ON)
        return step;
    if (loader->said_away)
        log_notice("the database is back; %" PRIu64 " bytes wait in the spool%s%s",
                   spool_waiting(loader->spool, loader->progress.position), loader->shard ? " for " : "",
                   loader->shard ? loader->name : "");
    loader->said_away = false;
    loader_note_loaded(loader, 0);
    loader_note_connected(loader, true);
    return STEP_ON;
}

/* batches */

static enum loader_step overtaken(void)
{
    log_warn("another loader has moved this spool on; is the folder used twice, or was it copied?");
    return STEP_AGAIN;
}

/* Somebody may be forgotten whom this session does not know: the next one learns who, and comes again. */
static enum loader_step unwritten(struct loader *loader)
{
    return loader->progress.outdated ? STEP_AGAIN : loader_away(loader, "write to");
}

static enum loader_step set_aside(struct loader *loader, const struct spool_record *record)
{
    enum store_answer answer;
    struct buf trouble;
    bool conflict;

    buf_init(&trouble, ERROR_MAX);
    loader->progress.forgotten = loader->forget.number;
    answer = store_reject(loader->db, &loader->progress, record, buf_text(&loader->why), &conflict, &trouble,
                          loader_allowed_ms(loader, LOADER_QUESTION_MS));
    if (answer == STORE_YES) {
        log_err("record at position %" PRIu64 " was refused and is set aside in spoor.rejected: %s", record->position,
                buf_text(&loader->why));
        loader_note_loaded(loader, 1);
    }
    buf_reset(&loader->why);
    buf_add_slice(&loader->why, buf_slice(&trouble));
    buf_free(&trouble);
    if (answer == STORE_AWAY)
        return unwritten(loader);
    return answer == STORE_YES ? STEP_ON : overtaken();
}

/* Halves what is refused until the bad record stands alone: fourteen levels for ten thousand records. */
static enum loader_step load_records(struct loader *loader, const struct spool_record *record, size_t count)
{
    bool conflict;
    enum loader_step step;

    buf_reset(&loader->why);
    loader->progress.forgotten = loader->forget.number;
    switch (store_load(loader->db, loader->memory, &loader->progress, record, count, &conflict, &loader->why,
                       loader_allowed_ms(loader, loader->load_ms))) {
    case STORE_YES:
        loader_note_loaded(loader, 0);
        return STEP_ON;
    case STORE_AWAY:
        return unwritten(loader);
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
static enum loader_step load_batch(struct loader *loader)
{
    enum loader_step filled = loader_fill(loader);
    int64_t start_ms = clock_monotonic_ms();
    enum loader_step loaded;

    if (filled == STEP_AGAIN || loader->batch->count == 0)
        return filled;
    loader_note_waiting(loader, loader_batch_time(loader->batch));
    loaded = load_records(loader, loader_batch_records(loader->batch), loader->batch->count);
    fit_batch(loader, loaded == STEP_ON, clock_monotonic_ms() - start_ms);
    if (loaded != STEP_ON)
        return loaded;
    loader->pause_ms = 0;
    if (!loader->inherited) {
        loader->furthest = loader->progress.position;
        loader->unreleased = true;
        if (!loader->is_ahead || loader->next->count == 0)
            loader_release(loader);
    }
    return filled;
}

/* What is to go from the spool goes; a session that is told of somebody new ends, for the next begins by learning whom. */
static enum loader_step forget(struct loader *loader)
{
    bool drains = loader->batch->count > 0 && loader_is_stopping(loader); /* there is no next one */

    if (!drains && loader_forget_is_news(loader->db)) {
        loader->pause_ms = 0; /* nothing failed */
        return STEP_AGAIN;
    }
    if (loader->batch->count == 0 && !db_stands(loader->db))
        return STEP_AGAIN; /* the server has ended it, and may come back with a database that was set back */
    if (loader->inherited)
        return STEP_ON;
    return loader_forget_go_on(&loader->forget, loader->db, loader->spool, loader->progress.spool, loader->progress.position,
                               loader_allowed_ms(loader, LOADER_QUESTION_MS)) == STORE_AWAY
               ? loader_away(loader, "write to")
               : STEP_ON;
}

/* Batches until something ends the session, or until the spool is empty and the loader shall stop. */
static enum loader_step run_session(struct loader *loader)
{
    for (;;) {
        int64_t start_ms = clock_monotonic_ms();
        uint64_t seen = spool_durable(loader->spool);
        enum loader_step step = load_batch(loader);

        if (step == STEP_ON)
            step = forget(loader);
        if (step == STEP_ON)
            step = lease_node(loader);
        if (step == STEP_ON && !loader_keys_tell(&loader->keys, loader->db, loader->progress.spool,
                                                 loader_allowed_ms(loader, LOADER_QUESTION_MS)))
            step = loader_away(loader, "write to");
        if (step == STEP_ON && loader->batch->count == 0 && loader->inherited) {
            step = loader_settle(loader);
            if (step == STEP_ON)
                continue;
        }
        if (step != STEP_ON)
            return step;
        if (loader_is_stopping(loader) && (loader->batch->count == 0 || loader_allowed_ms(loader, 1) == 0))
            return STEP_ON;
        if (loader->batch->count == 0)
            spool_wait(loader->spool, seen, IDLE_MS);
        else if (loader->batch->count < loader->batch->most / 2)
            loader_pause(loader, start_ms + BATCH_MS - clock_monotonic_ms());
    }
}

static void *run(void *arg)
{
    struct loader *loader = arg;
    enum loader_step step = STEP_AGAIN;

    while (step == STEP_AGAIN) {
        step = begin_session(loader);
        if (step == STEP_ON)
            step = run_session(loader);
        end_session(loader);
        if (step != STEP_AGAIN || loader_is_stopping(loader))
            break; /* what could not be loaded stays in the spool */
        loader->pause_ms = loader->pause_ms ? loader->pause_ms * 2 : PAUSE_FIRST_MS;
        if (loader->pause_ms > PAUSE_LAST_MS)
            loader->pause_ms = PAUSE_LAST_MS;
        loader_pause(loader, loader->pause_ms);
    }
    return NULL;
}

/* life */

static void loader_free(struct loader *loader)
{
    db_free(loader->db);
    loader_batch_free(loader->batch);
    loader_batch_free(loader->next);
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
    loader->no_node.every_seconds = AWAY_REMINDER_S;
    loader->misfit.every_seconds = AWAY_REMINDER_S;
    loader->spool = spool;
    loader->program = strdup(options->program);
    loader->host = strdup(options->host);
    loader->shard = options->shard;
    shard_name(loader->shard, loader->name);
    loader->forget.shard = options->shard;
    loader->node_shard = options->node_shard;
    loader->keys.keys = options->keys;
    loader->want_node = options->want_node;
    loader->node_known = options->node_known;
    loader->arg = options->arg;
    loader->load_ms = options->load_ms ? options->load_ms : LOAD_MS;
    loader->db = db_new_shard(options->conninfo, options->shard, options->program);
    loader->batch = loader_batch_new();
    loader->next = loader_batch_new();
    if (!loader->program || !loader->host || !loader->db || !loader->batch || !loader->next) {
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
