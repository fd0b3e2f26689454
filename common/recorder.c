/* SPDX-License-Identifier: BSD-2-Clause */
/* recorder - see recorder.h */

#include "common/clock.h"
#include "common/forgotten_list.h"
#include "common/log.h"
#include "common/recorder.h"
#include "common/spool_walk.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert((int)RECORD_BYTES_MAX <= (int)SPOOL_RECORD_MAX, "a record must fit into the spool");
enum { START_MS = 800 /* a start takes less than a second, whatever the database does */ };

static void log_lines(struct slice text)
{
    while (text.len) {
        const char *end = memchr(text.p, '\n', text.len);
        struct slice line = slice_of(text.p, end ? (size_t)(end - text.p) : text.len);

        log_warn("%.*s", SLICE_ARG(line));
        text = slice_from(text, line.len + 1);
    }
}

static bool open_spool(struct recorder_lane *lane, const struct conf *conf, int64_t sync_ms, struct buf *error)
{
    struct spool_options options = {
        .directory = lane->directory,
        .segment_bytes = conf->spool_segment_bytes,
        .max_bytes = conf->spool_max_bytes,
        .keep_s = conf->spool_keep_s,
        .sync_ms = sync_ms,
    };
    struct buf warning;

    buf_init(&warning, 4096);
    lane->spool = spool_open(&options, &warning, error);
    log_lines(buf_slice(&warning));
    buf_free(&warning);
    return lane->spool != NULL;
}

char *recorder_directory(const struct conf *conf, const char *name)
{
    const char *dash = conf->instance[0] ? "-" : "";
    char *directory;

    return asprintf(&directory, "%s/%s%s%s", conf->spool_directory, name, dash, conf->instance) < 0 ? NULL : directory;
}

static char *shard_directory(const char *directory, unsigned shard)
{
    char *below;

    return asprintf(&below, "%s/shard-%u", directory, shard) < 0 ? NULL : below;
}

/* The first server's folder is made first, for those of the others lie in it; and whoever has its lock has them all. */
static bool open_lane(struct recorder *recorder, const struct conf *conf, unsigned shard, const char *name, int64_t sync_ms,
                      struct buf *error)
{
    struct recorder_lane *lane = &recorder->lane[shard];

    lane->directory = shard ? shard_directory(recorder->lane[0].directory, shard) : recorder_directory(conf, name);
    if (lane->directory == NULL) {
        buf_add_str(error, "out of memory");
        return false;
    }
    return open_spool(lane, conf, sync_ms, error);
}

/* Nobody would carry it to a server that spoor.conf does not name any more, or know that it is there. */
static void tell_unnamed(const char *directory, unsigned shard)
{
    char *below = shard_directory(directory, shard);
    struct spool_walk_waiting waiting = {.bytes = 0};
    struct spool_walk walk;
    struct buf error;

    buf_init(&error, 4096);
    if (below && access(below, F_OK) == 0) {
        if (spool_walk_open(&walk, below, &error)) {
            waiting = spool_walk_first_waiting(&walk, spool_walk_loaded(&walk));
            spool_walk_close(&walk);
        }
        if (waiting.bytes)
            log_warn("records in %s wait for shard %u, and spoor.conf names none in shards: spoorctl check tells how many", below, shard);
        else if (error.len)
            log_warn("%s", buf_text(&error));
    }
    buf_free(&error);
    free(below);
}

bool recorder_open(struct recorder *recorder, const struct conf *conf, const char *name, int64_t sync_ms,
                   struct buf *error)
{
    *recorder = (struct recorder){.sharded = conf->shards.count > 0, .here = (unsigned)conf->shard};
    if (gethostname(recorder->host, sizeof recorder->host - 1) != 0)
        snprintf(recorder->host, sizeof recorder->host, "localhost");
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (shard_database(conf, shard) && !open_lane(recorder, conf, shard, name, sync_ms, error))
            return false;
    for (unsigned shard = 1; shard < SHARDS; shard++)
        if (!shard_database(conf, shard))
            tell_unnamed(recorder->lane[0].directory, shard);
    forgotten_list_open(recorder->lane[0].directory);
    return true;
}

/* The first server alone leases node numbers. */
static bool start_lane(struct recorder *recorder, const struct conf *conf, unsigned shard, struct loader_options *options,
                       struct buf *error)
{
    struct recorder_lane *lane = &recorder->lane[shard];

    options->conninfo = shard_database(conf, shard);
    options->shard = shard;
    options->want_node = shard == 0 && options->node_known != NULL;
    lane->loader = loader_start(lane->spool, options, error);
    return lane->loader != NULL;
}

bool recorder_start(struct recorder *recorder, const struct conf *conf, const struct recorder_program *program, struct buf *error)
{
    struct loader_options options = {
        .program = program->name,
        .host = recorder->host,
        .keys = program->keys,
        .node_shard = recorder->here,
        .node_known = program->node_known,
        .arg = program->arg,
    };
    int64_t until_ms = clock_monotonic_ms() + START_MS;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (recorder->lane[shard].spool && !start_lane(recorder, conf, shard, &options, error))
            return false;
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (recorder->lane[shard].loader &&
            loader_wait_start(recorder->lane[shard].loader, clock_left_ms(until_ms), error) == LOADER_UNFIT)
            return false;
    return true;
}

/* In reverse: the first folder's lock goes last. */
void recorder_close(struct recorder *recorder, int drain_ms)
{
    int64_t until_ms = clock_monotonic_ms() + drain_ms;
    size_t lost;

    for (unsigned shard = SHARDS; shard-- > 0;)
        if (recorder->lane[shard].loader)
            loader_stop(recorder->lane[shard].loader, clock_left_ms(until_ms));
    for (unsigned shard = SHARDS; shard-- > 0;) {
        struct recorder_lane *lane = &recorder->lane[shard];

        lost = 0;
        if (lane->spool && spool_close(lane->spool, &lost) != SPOOL_OK)
            log_err("cannot write the end of the spool %s: %m; %zu records that only memory held are lost",
                    lane->directory, lost);
        free(lane->directory);
    }
    *recorder = (struct recorder){.sharded = false};
}

/* A server that spoor.conf does not name any more leaves its mails to the first. */
const struct recorder_lane *recorder_lane_of(const struct recorder *recorder, enum record_kind kind, struct slice payload)
{
    const struct recorder_lane *lane = &recorder->lane[0];
    uint64_t message;

    if (!recorder->sharded)
        return lane;
    if (kind == RECORD_DELIVERY)
        return &recorder->lane[recorder->here];
    if (record_message_of((uint8_t)kind, payload, &message) && recorder->lane[shard_of(message)].spool)
        lane = &recorder->lane[shard_of(message)];
    return lane;
}

/* Nothing about somebody who is forgotten gets to the disk. */
static enum spool_result append_what_may_stand(struct spool *spool, enum record_kind kind, struct slice payload, uint64_t *end)
{
    enum spool_result result = SPOOL_OK;
    struct buf changed;

    buf_init(&changed, RECORD_BYTES_MAX);
    switch (forgotten_list_record((uint8_t)kind, payload, &changed)) {
    case FORGOTTEN_DROPS:
        *end = spool_durable(spool);
        break;
    case FORGOTTEN_CHANGES:
        payload = buf_slice(&changed);
        /* fallthrough */
    case FORGOTTEN_KEEPS:
        result = spool_append(spool, (uint8_t)kind, RECORD_VERSION, payload, end);
    }
    buf_free(&changed);
    return result;
}

enum spool_result recorder_append(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                  uint64_t *end)
{
    if (payload->failed) {
        errno = ENOMEM;
        return SPOOL_FAILED;
    }
    return append_what_may_stand(recorder_lane_of(recorder, kind, buf_slice(payload))->spool, kind, buf_slice(payload), end);
}

/* END is a place in one spool of several, and it is not said in which: what they hold now is all that was asked for. */
enum spool_result recorder_sync(struct recorder *recorder, uint64_t end)
{
    enum spool_result worst = SPOOL_OK;

    if (!recorder->sharded)
        return spool_sync(recorder->lane[0].spool, end);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct spool *spool = recorder->lane[shard].spool;
        enum spool_result result = spool ? spool_sync(spool, spool_end(spool)) : SPOOL_OK;

        worst = result == SPOOL_OK ? worst : result;
    }
    return worst;
}

enum spool_result recorder_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                 bool durable)
{
    uint64_t end;
    enum spool_result result = recorder_append(recorder, kind, payload, &end);

    if (result == SPOOL_OK && durable)
        result = spool_sync(recorder_lane_of(recorder, kind, buf_slice(payload))->spool, end);
    return result;
}
