/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder - a program's spool and the loader that empties it, opened and closed as one.
 *
 * Any thread may write once it is open.
 */
#ifndef COMMON_RECORDER_H
#define COMMON_RECORDER_H

#include "common/conf.h"
#include "common/loader.h"
#include "common/record.h"
#include "common/spool.h"

enum { RECORD_VERSION = 1 }; /* of the payloads that record.c writes */

struct recorder {
    struct spool *spool;
    struct loader *loader;
    char *directory; /* SPOOL_DIRECTORY/NAME[-INSTANCE] */
    char host[256];
};

/* SPOOL_DIRECTORY/NAME[-INSTANCE], to be freed; NULL without memory. */
char *recorder_directory(const struct conf *conf, const char *name);

/* NAME "stamp", "match" or "pixeld". SYNC_MS as in spool.h. Logs a warning that recovery gives. */
bool recorder_open(struct recorder *recorder, const struct conf *conf, const char *name, int64_t sync_ms,
                   struct buf *error);
/*
 * The loader is a thread: after daemon_start() and after privileges were dropped. NODE_KNOWN may be NULL, see
 * loader.h. False also when the database answers within the first moments, and its schema does not fit.
 */
bool recorder_start(struct recorder *recorder, const struct conf *conf, const char *program,
                    void (*node_known)(void *arg, int node), void *arg, struct buf *error);
/* Gives the loader DRAIN_MS to bring away what is left. Also for one that is half open. Logs what was lost. */
void recorder_close(struct recorder *recorder, int drain_ms);

/* In the kernel; END is for spool_sync(). errno tells why on SPOOL_FAILED. */
enum spool_result recorder_append(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                  uint64_t *end);
/* In the kernel; with DURABLE on the disk. errno tells why on SPOOL_FAILED. */
enum spool_result recorder_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                 bool durable);

#endif
