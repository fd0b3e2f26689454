/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader - the thread in each program that carries its spool to PostgreSQL, exactly once.
 *
 * Batches of up to 10,000 records or 200 ms, smaller while the database is slow. Owns its connection. Backs off while the database is away. Logs
 * what an administrator must know: away and back, a spool that does not match, rejected records.
 */
#ifndef COMMON_LOADER_H
#define COMMON_LOADER_H

#include "common/keys.h"
#include "common/spool.h"

#include <stdint.h>

struct loader;

struct loader_options {
    const char *conninfo;
    const char *program;
    const char *host;
    unsigned shard;      /* which server CONNINFO is to be; see shard.h */
    unsigned node_shard; /* from whose range a node number is wanted */
    struct keys *keys; /* those that the database is told of; NULL: the program has none */
    /* Called from the loader's thread once the database has leased a node number, when wanted. */
    bool want_node;
    void (*node_known)(void *arg, int node);
    void *arg;
    int load_ms; /* that a batch may take, before it is tried again at half the size; 0: a minute */
};

struct loader *loader_start(struct spool *spool, const struct loader_options *options, struct buf *error);
/* Loads what is there within DRAIN_MS, then ends the thread. */
void loader_stop(struct loader *loader, int drain_ms);

/*
 * What came of the first attempt to reach the database, waited for up to TIMEOUT_MS. LOADER_UNFIT: it has a schema
 * that this program does not fit, or none, and WHY says so; the loader goes on trying.
 */
enum loader_start { LOADER_PENDING, LOADER_READY, LOADER_AWAY, LOADER_UNFIT };
enum loader_start loader_wait_start(struct loader *loader, int timeout_ms, struct buf *why);

struct loader_state {
    bool connected;
    uint64_t loaded;   /* position */
    uint64_t waiting;  /* bytes in the spool not yet loaded */
    double lag_s;      /* age of the oldest record not yet loaded, 0 when none */
    uint64_t rejected;
};
struct loader_state loader_state(struct loader *loader);

#endif
