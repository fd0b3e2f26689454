/* SPDX-License-Identifier: BSD-2-Clause */
/* journal - see journal.h */

#include "common/log.h"
#include "milter/journal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_VERSION = 1 };

static bool open_spool(struct journal *journal, const struct conf *conf, struct buf *error)
{
    struct spool_options options = {
        .directory = journal->directory,
        .segment_bytes = conf->spool_segment_bytes,
        .max_bytes = conf->spool_max_bytes,
        .keep_s = conf->spool_keep_s,
        .sync_ms = 0,
    };
    struct buf warning;

    buf_init(&warning, 4096);
    journal->spool = spool_open(&options, &warning, error);
    if (warning.len)
        log_warn("%s", buf_text(&warning));
    buf_free(&warning);
    return journal->spool != NULL;
}

bool journal_open(struct journal *journal, const struct conf *conf, const char *name, bool with_numbers,
                  struct buf *error)
{
    const char *dash = conf->instance[0] ? "-" : "";

    *journal = (struct journal){.spool = NULL};
    if (gethostname(journal->host, sizeof journal->host - 1) != 0)
        snprintf(journal->host, sizeof journal->host, "localhost");
    if (asprintf(&journal->directory, "%s/%s%s%s", conf->spool_directory, name, dash, conf->instance) < 0) {
        journal->directory = NULL;
        buf_add_str(error, "no memory");
        return false;
    }
    if (!open_spool(journal, conf, error))
        return false;
    if (with_numbers)
        journal->numbers = message_id_maker_open(journal->directory, -1, error);
    return !with_numbers || journal->numbers;
}

static void node_known(void *arg, int node)
{
    struct journal *journal = arg;

    message_id_maker_set_node(journal->numbers, node);
}

bool journal_start(struct journal *journal, const struct conf *conf, const char *program, struct buf *error)
{
    struct loader_options options = {
        .conninfo = conf->database,
        .program = program,
        .host = journal->host,
        .want_node = journal->numbers != NULL,
        .node_known = node_known,
        .arg = journal,
    };

    journal->loader = loader_start(journal->spool, &options, error);
    return journal->loader != NULL;
}

void journal_close(struct journal *journal, int drain_ms)
{
    if (journal->loader)
        loader_stop(journal->loader, drain_ms);
    if (journal->numbers)
        message_id_maker_close(journal->numbers);
    if (journal->spool)
        spool_close(journal->spool);
    free(journal->directory);
    *journal = (struct journal){.spool = NULL};
}

bool journal_write(struct journal *journal, enum record_kind kind, const struct buf *payload)
{
    static struct log_throttle throttle = {.every_seconds = 60};
    uint64_t end;
    enum spool_result result = SPOOL_FAILED;

    if (!payload->failed) {
        result = spool_append(journal->spool, (uint8_t)kind, RECORD_VERSION, buf_slice(payload), &end);
        if (result == SPOOL_OK)
            result = spool_sync(journal->spool, end);
    }
    if (result == SPOOL_FULL)
        log_throttled(&throttle, LOG_ERR, "spool %s is full: mail passes without a record", journal->directory);
    else if (result == SPOOL_FAILED)
        log_throttled(&throttle, LOG_ERR, "cannot write to spool %s: %m: mail passes without a record",
                      journal->directory);
    return result == SPOOL_OK;
}
