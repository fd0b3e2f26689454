/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader_private - what the files of the loader share. All functions but those of loader.h are for its thread alone.
 */
#ifndef COMMON_LOADER_PRIVATE_H
#define COMMON_LOADER_PRIVATE_H

#include "common/loader.h"

#include "common/loader_batch.h"
#include "common/loader_forget.h"
#include "common/loader_keys.h"
#include "common/log.h"
#include "common/shard.h"
#include "common/store.h"

#include <pthread.h>

enum loader_step { STEP_ON, STEP_AGAIN /* a new session after a pause */, STEP_HALT };

enum { LOADER_QUESTION_MS = 5000 }; /* for whatever is asked beside the batches */

struct loader {
    struct spool *spool;
    char *program;
    char *host;
    unsigned shard;
    char name[SHARD_NAME_BYTES]; /* of the server, for the log */
    unsigned node_shard;
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
    struct loader_keys keys;
    struct buf left;   /* of the last record read, where part of it is left out */
    struct loader_batch *batch;
    struct loader_batch *next;   /* read while the database worked at BATCH, when IS_AHEAD */
    bool is_ahead;
    enum loader_step ahead;      /* what came of reading that */
    bool unreleased;             /* the spool has not been told yet how far it is loaded */
    struct buf why;
    bool node_leased;
    int64_t node_again_ms; /* when a number is asked for again, monotonic */
    bool said_away;
    int64_t pause_ms;
    struct log_throttle away, no_node;
    struct log_throttle misfit; /* it is there, and not to be used */
};

/* stopping, pausing, and what others see: loader_state.c */
bool loader_is_stopping(struct loader *loader);
int loader_allowed_ms(struct loader *loader, int most_ms); /* MOST_MS, or what is left until the drain ends */
/* Until the time has passed or somebody wants the loader to stop. */
void loader_pause(struct loader *loader, int64_t milliseconds);
void loader_note_connected(struct loader *loader, bool connected);
void loader_note_loaded(struct loader *loader, size_t rejected);
void loader_note_waiting(struct loader *loader, int64_t time_us); /* a record of that time */
void loader_note_held_up(struct loader *loader);
bool loader_note_start(struct loader *loader, enum loader_start start); /* true when it was not known before */

/* Where to go on: loader_place.c. */
enum loader_step loader_place(struct loader *loader);
enum loader_step loader_settle(struct loader *loader); /* all that the folder brought along is loaded */

/* Records out of the spool: loader_fill.c. */

/*
 * The batch: what was read ahead, else what is there now. STEP_HALT at a record that this program does not know; those
 * before it are in the batch.
 */
enum loader_step loader_fill(struct loader *loader);
/* While the database is busy with a full batch, and only then. LOADER is a struct loader. */
void loader_fill_ahead(void *loader);
void loader_fill_forget(struct loader *loader); /* the reader goes elsewhere */
/* Tells the spool how far it is loaded. That takes a write to the disk, so it waits for the database to be busy. */
void loader_release(struct loader *loader);

/* The database cannot be reached, asked or written to: said now and then. */
enum loader_step loader_away(struct loader *loader, const char *doing);

#endif
