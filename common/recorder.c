/* SPDX-License-Identifier: BSD-2-Clause */
/* recorder - see recorder.h */

#include "common/forgotten_list.h"
#include "common/log.h"
#include "common/recorder.h"

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

static bool open_spool(struct recorder *recorder, const struct conf *conf, int64_t sync_ms, struct buf *error)
{
    struct spool_options options = {
        .directory = recorder->directory,
        .segment_bytes = conf->spool_segment_bytes,
        .max_bytes = conf->spool_max_bytes,
        .keep_s = conf->spool_keep_s,
        .sync_ms = sync_ms,
    };
    struct buf warning;

    buf_init(&warning, 4096);
    recorder->spool = spool_open(&options, &warning, error);
    log_lines(buf_slice(&warning));
    buf_free(&warning);
    return recorder->spool != NULL;
}

char *recorder_directory(const struct conf *conf, const char *name)
{
    const char *dash = conf->instance[0] ? "-" : "";
    char *directory;

    return asprintf(&directory, "%s/%s%s%s", conf->spool_directory, name, dash, conf->instance) < 0 ? NULL : directory;
}

bool recorder_open(struct recorder *recorder, const struct conf *conf, const char *name, int64_t sync_ms,
                   struct buf *error)
{
    *recorder = (struct recorder){.spool = NULL};
    if (gethostname(recorder->host, sizeof recorder->host - 1) != 0)
        snprintf(recorder->host, sizeof recorder->host, "localhost");
    recorder->directory = recorder_directory(conf, name);
    if (recorder->directory == NULL) {
        buf_add_str(error, "out of memory");
        return false;
    }
    if (!open_spool(recorder, conf, sync_ms, error))
        return false;
    forgotten_list_open(recorder->directory);
    return true;
}

bool recorder_start(struct recorder *recorder, const struct conf *conf, const char *program,
                    void (*node_known)(void *arg, int node), void *arg, struct buf *error)
{
    struct loader_options options = {
        .conninfo = conf->database,
        .program = program,
        .host = recorder->host,
        .want_node = node_known != NULL,
        .node_known = node_known,
        .arg = arg,
    };

    recorder->loader = loader_start(recorder->spool, &options, error);
    return recorder->loader && loader_wait_start(recorder->loader, START_MS, error) != LOADER_UNFIT;
}

void recorder_close(struct recorder *recorder, int drain_ms)
{
    size_t lost = 0;

    if (recorder->loader)
        loader_stop(recorder->loader, drain_ms);
    if (recorder->spool && spool_close(recorder->spool, &lost) != SPOOL_OK)
        log_err("cannot write the end of the spool %s: %m; %zu records that only memory held are lost",
                recorder->directory, lost);
    free(recorder->directory);
    *recorder = (struct recorder){.spool = NULL};
}

/* Nothing about somebody who is forgotten gets to the disk. */
static enum spool_result append_what_may_stand(struct recorder *recorder, enum record_kind kind, struct slice payload, uint64_t *end)
{
    enum spool_result result = SPOOL_OK;
    struct buf changed;

    buf_init(&changed, RECORD_BYTES_MAX);
    switch (forgotten_list_record((uint8_t)kind, payload, &changed)) {
    case FORGOTTEN_DROPS:
        *end = spool_durable(recorder->spool);
        break;
    case FORGOTTEN_CHANGES:
        payload = buf_slice(&changed);
        /* fallthrough */
    case FORGOTTEN_KEEPS:
        result = spool_append(recorder->spool, (uint8_t)kind, RECORD_VERSION, payload, end);
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
    return append_what_may_stand(recorder, kind, buf_slice(payload), end);
}

enum spool_result recorder_write(struct recorder *recorder, enum record_kind kind, const struct buf *payload,
                                 bool durable)
{
    uint64_t end;
    enum spool_result result = recorder_append(recorder, kind, payload, &end);

    if (result == SPOOL_OK && durable)
        result = spool_sync(recorder->spool, end);
    return result;
}
