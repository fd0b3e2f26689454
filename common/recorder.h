/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder - a program's spools and the loaders that empty them, one of each for each server, opened and closed as one.
 *
 * A record goes into the spool of the server that has its mail: see shard.h. One without a mail goes to the first server, what the
 * log of this host tells to the server that has this host's mail. So each spool is loaded in transactions of one server, and
 * waits alone while that is away. Any thread may write once it is open.
 */
#ifndef COMMON_RECORDER_H
#define COMMON_RECORDER_H

#include "common/conf.h"
#include "common/loader.h"
#include "common/record.h"
#include "common/shard.h"
#include "common/spool.h"

enum { RECORD_VERSION = 1 }; /* of the payloads that record.c writes */

struct recorder_lane {
    struct spool *spool; /* NULL: spoor.conf does not name the server */
    struct loader *loader;
    char *directory; /* SPOOL_DIRECTORY/NAME[-INSTANCE], and for shard N shard-N in that */
};

struct recorder {
    struct recorder_lane lane[SHARDS]; /* the first is always there */
    bool sharded;  /* there is another */
    unsigned here; /* which one has this host's mail */
    char host[256];
};

/* SPOOL_DIRECTORY/NAME[-INSTANCE], to be freed; NULL without memory. */
char *recorder_directory(const struct conf *conf, const char *name);

/* NAME "stamp", "match" or "pixeld". SYNC_MS as in spool.h. Logs a warning that recovery gives. */
bool recorder_open(struct recorder *recorder, const struct conf *conf, const char *name, int64_t sync_ms,
                   struct buf *error);

/* What the loaders have to know of the program whose records they bring away, as in loader.h. */
struct recorder_program {
    const char *name;                        /* "spoor-stamp" */
    struct keys *keys;                       /* those that databases are told of; NULL: the program has none */
    void (*node_known)(void *arg, int node); /* NULL: it wants no node number */
    void *arg;
};

/*
 * A loader is a thread: after daemon_start() and after privileges were dropped. PROGRAM is copied, what it points to must live
 * as long. False also when a database answers within the first moments, and its schema does not fit.
 */
bool recorder_start(struct recorder *recorder, const struct conf *conf, const struct recorder_program *program, struct buf *error);
/* Gives the loaders DRAIN_MS to bring away what is left. Also for one that is half open. Logs what was lost. */
void recorder_close(struct recorder *recorder, int drain_ms);

/* Where a record goes: the one place that decides it. */
const struct recorder_lane *recorder_lane_of(const struct recorder *recorder, enum record_kind kind, struct slice payload);

/* In the kernel; END, which is not 0, is for recorder_sync(). errno tells why on SPOOL_FAILED. */
enum spool_result recorder_append(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                  uint64_t *end);
/* Returns when what was appended up to END, by whomever and to whichever spool, is on the disk. */
enum spool_result recorder_sync(struct recorder *recorder, uint64_t end);
/* In the kernel; with DURABLE on the disk. errno tells why on SPOOL_FAILED. */
enum spool_result recorder_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                 bool durable);

#endif
