/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spoor-relay - what happens to tracked mails goes where it is wanted: a CRM, a webhook, the sender's mailbox.
 *
 * main() is the table of contents. A sink's thread is in sink.c, a batch's way in sink_batch.c; webhook.c, salesforce.c and mailbox.c
 * are the ways to the other side. `spoor-relay sample NAME` sends one event to see whether that works; spoorctl sink test calls it.
 */
#include "common/daemon.h"
#include "common/log.h"
#include "common/shard.h"
#include "common/store.h"
#include "relay/https.h"
#include "relay/metrics.h"
#include "relay/sample.h"
#include "relay/sink.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

struct sinks {
    struct sink **sink;
    size_t count;
};

static void stop_sinks(struct sinks *sinks)
{
    for (size_t n = 0; n < sinks->count; n++)
        sink_begin_stop(sinks->sink[n]);
    for (size_t n = 0; n < sinks->count; n++)
        sink_free(sinks->sink[n]);
    free(sinks->sink);
    *sinks = (struct sinks){0};
}

/* Each server has an outbox of its own. */
static bool start_sinks(struct sinks *sinks, const struct conf *conf, struct buf *error)
{
    sinks->sink = calloc(conf->sinks * (1 + conf->shards.count), sizeof(struct sink *));
    for (unsigned shard = 0; sinks->sink && shard < SHARDS; shard++)
        for (size_t n = 0; shard_database(conf, shard) && n < conf->sinks; n++) {
            sinks->sink[sinks->count] = sink_start(conf, &conf->sink[n], shard, error);
            if (!sinks->sink[sinks->count])
                return false;
            sinks->count++;
        }
    return sinks->sink != NULL;
}

/* Files are read again: keys and secrets, as their owner changes them. */
static void reload(struct sinks *sinks, const struct conf *conf)
{
    struct sinks old = *sinks, fresh = {0};
    struct buf error;

    buf_init(&error, TEXT_MAX);
    if (start_sinks(&fresh, conf, &error)) {
        log_notice("reloaded: keys and secrets");
        stop_sinks(&old);
        *sinks = fresh;
    } else {
        log_err("cannot reload, the old keys and secrets stay in use: %s", buf_text(&error));
        stop_sinks(&fresh);
    }
    buf_free(&error);
}

int main(int argc, char **argv)
{
    struct daemon_options options;
    struct sinks sinks = {0};
    struct metrics *metrics;
    struct conf *conf;
    struct buf error;

    if (argc > 1 && strcmp(argv[1], "sample") == 0)
        return sample_command(argc - 1, argv + 1);
    options = daemon_options("spoor-relay", argc, argv);
    conf = daemon_configure(&options, CONF_RELAY);
    buf_init(&error, TEXT_MAX);
    daemon_start(&options);
    if (!daemon_drop_privileges(conf) || !https_begin())
        daemon_fail();
    if (store_forbids_start(conf, options.program, &error))
        daemon_fail_with(&error);
    if (!start_sinks(&sinks, conf, &error) || !(metrics = metrics_start(conf, sinks.sink, sinks.count, &error)))
        daemon_fail_with(&error);
    daemon_ready(conf, &options);

    while (daemon_wait_signal() == DAEMON_RELOAD) {
        metrics_stop(metrics);
        reload(&sinks, conf);
        metrics = metrics_start(conf, sinks.sink, sinks.count, &error);
    }

    metrics_stop(metrics);
    stop_sinks(&sinks);
    https_end();
    daemon_end();
    buf_free(&error);
    conf_free(conf);
    return 0;
}
