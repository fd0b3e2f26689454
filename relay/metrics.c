/* SPDX-License-Identifier: BSD-2-Clause */
/* metrics - see metrics.h */

#include "relay/metrics.h"

#include "common/clock.h"
#include "common/file_replace.h"
#include "common/log.h"
#include "common/prometheus.h"
#include "common/shard.h"
#include "common/store_outbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 10000, EVERY_MS = 15000, TEXT_MAX = 1024 * 1024, LABEL_MAX = 100, REMINDER_S = 300 };

struct metrics {
    const struct conf *conf;
    struct sink *const *sink;
    size_t sinks;
    struct db *db[SHARDS]; /* NULL: spoor.conf does not name it */
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t changed;
    bool stopping;
    struct log_throttle trouble;
};

struct gauge {
    struct buf *out;
    const char *name;
    int64_t (*value)(const struct store_lag *lag);
    unsigned shard;
};

/* Without further servers nothing needs to be told apart. */
static void add_label(char label[LABEL_MAX], const char *sink, unsigned shard)
{
    int len = snprintf(label, LABEL_MAX, "sink=\"%s\"", sink); /* letters, digits, - and _ alone */

    if (shard)
        snprintf(label + len, (size_t)(LABEL_MAX - len), ",shard=\"%u\"", shard);
}

static int64_t due(const struct store_lag *lag)
{
    return lag->due;
}

static int64_t dead(const struct store_lag *lag)
{
    return lag->dead;
}

static int64_t behind(const struct store_lag *lag)
{
    return lag->lag_s;
}

static int64_t troubled(const struct store_lag *lag)
{
    return lag->trouble != NULL;
}

static void add_gauge(void *arg, const struct store_lag *lag)
{
    struct gauge *gauge = arg;
    char label[LABEL_MAX];

    add_label(label, lag->sink, gauge->shard);
    prometheus_sample(gauge->out, gauge->name, label, (uint64_t)gauge->value(lag));
}

static bool add_gauges(struct metrics *metrics, struct buf *out)
{
    static const struct {
        const char *name, *help;
        int64_t (*value)(const struct store_lag *lag);
    } gauges[] = {
        {"spoor_relay_due", "Events that could have gone already.", due},
        {"spoor_relay_lag_seconds", "For how long the oldest event that is due has been.", behind},
        {"spoor_relay_dead", "Events that were given up.", dead},
        {"spoor_relay_trouble", "1 while nothing goes to the sink.", troubled},
    };
    bool asked = true;

    for (size_t n = 0; asked && n < sizeof gauges / sizeof *gauges; n++) {
        struct gauge gauge = {out, gauges[n].name, gauges[n].value, 0};

        prometheus_family(out, gauges[n].name, PROMETHEUS_GAUGE, gauges[n].help);
        for (; asked && gauge.shard < SHARDS; gauge.shard++)
            asked = !metrics->db[gauge.shard] || !db_stands(metrics->db[gauge.shard]) ||
                    store_outbox_lag(metrics->db[gauge.shard], add_gauge, &gauge, ASK_MS) == STORE_YES;
    }
    return asked;
}

static void add_counters(const struct metrics *metrics, struct buf *out)
{
    static const char name[] = "spoor_relay_events_total";
    char label[LABEL_MAX];

    prometheus_family(out, name, PROMETHEUS_COUNTER, "What became of events since the start.");
    for (size_t n = 0; n < metrics->sinks; n++) {
        struct sink_counts counts = sink_counts(metrics->sink[n]);
        const struct {
            const char *outcome;
            uint64_t count;
        } rows[] = {{"sent", counts.sent}, {"again", counts.again}, {"dead", counts.dead}, {"dropped", counts.dropped}};

        for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
            int len;

            add_label(label, sink_name(metrics->sink[n]), sink_shard(metrics->sink[n]));
            len = (int)strlen(label);
            snprintf(label + len, sizeof label - (size_t)len, ",outcome=\"%s\"", rows[row].outcome);
            prometheus_sample(out, name, label, rows[row].count);
        }
    }
}

/* How many servers are there; of one that is away nothing is told, and that is said. */
static size_t reach_servers(struct metrics *metrics)
{
    char name[SHARD_NAME_BYTES];
    size_t reached = 0;

    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct db *db = metrics->db[shard];

        if (!db)
            continue;
        if (store_connect(db, ASK_MS))
            reached++;
        else
            log_throttled(&metrics->trouble, LOG_WARNING, "cannot ask %s how far the sinks are: %s", shard_name(shard, name),
                          db_error(db));
    }
    return reached;
}

static void write_file(struct metrics *metrics)
{
    const char *path = metrics->conf->relay.metrics_file;
    struct buf text;

    buf_init(&text, TEXT_MAX);
    add_counters(metrics, &text);
    if (reach_servers(metrics) && add_gauges(metrics, &text) && !file_replace(path, 0644, buf_slice(&text)))
        log_throttled(&metrics->trouble, LOG_WARNING, "cannot write %s: %s", path, strerrordesc_np(errno));
    buf_free(&text);
}

static bool rest(struct metrics *metrics)
{
    int64_t every_ms = metrics->conf->relay.poll_ms < EVERY_MS ? metrics->conf->relay.poll_ms : EVERY_MS;
    struct timespec until = clock_monotonic_at(clock_monotonic_ms() + every_ms);
    bool stopping;

    pthread_mutex_lock(&metrics->lock);
    while (!metrics->stopping && pthread_cond_timedwait(&metrics->changed, &metrics->lock, &until) != ETIMEDOUT)
        ;
    stopping = metrics->stopping;
    pthread_mutex_unlock(&metrics->lock);
    return !stopping;
}

static void *run(void *arg)
{
    struct metrics *metrics = arg;

    do
        write_file(metrics);
    while (rest(metrics));
    return NULL;
}

static bool open_databases(struct metrics *metrics, const struct conf *conf)
{
    bool opened = true;

    for (unsigned shard = 0; shard < SHARDS && opened; shard++)
        if (shard_database(conf, shard))
            opened = (metrics->db[shard] = db_new_shard(shard_database(conf, shard), shard, "spoor-relay")) != NULL;
    return opened;
}

static void close_databases(struct metrics *metrics)
{
    for (unsigned shard = 0; metrics && shard < SHARDS; shard++)
        db_free(metrics->db[shard]);
}

struct metrics *metrics_start(const struct conf *conf, struct sink *const *sinks, size_t count, struct buf *error)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);

    if (!metrics || !open_databases(metrics, conf)) {
        buf_add_str(error, "no memory for metrics");
        close_databases(metrics);
        free(metrics);
        return NULL;
    }
    pthread_mutex_init(&metrics->lock, NULL);
    clock_condition_init(&metrics->changed);
    metrics->conf = conf;
    metrics->sink = sinks;
    metrics->sinks = count;
    metrics->trouble.every_seconds = REMINDER_S;
    if (*conf->relay.metrics_file)
        metrics->running = pthread_create(&metrics->thread, NULL, run, metrics) == 0;
    if (metrics->running || !*conf->relay.metrics_file)
        return metrics;
    buf_add_str(error, "cannot start the thread that writes relay.metrics_file");
    metrics_stop(metrics);
    return NULL;
}

void metrics_stop(struct metrics *metrics)
{
    if (!metrics)
        return;
    pthread_mutex_lock(&metrics->lock);
    metrics->stopping = true;
    pthread_cond_broadcast(&metrics->changed);
    pthread_mutex_unlock(&metrics->lock);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (metrics->db[shard])
            db_end_by(metrics->db[shard], 0);
    if (metrics->running)
        pthread_join(metrics->thread, NULL);
    close_databases(metrics);
    pthread_cond_destroy(&metrics->changed);
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}
