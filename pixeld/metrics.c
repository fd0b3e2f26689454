/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/metrics.h"

#include "common/clock.h"
#include "common/prometheus.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { LABELS_MAX = 96 };

/* The last stands for all that are not named. */
static const unsigned statuses[METRICS_STATUSES] = {200, 302, 400, 404, 405, 413, 503, 0};

void metrics_count_request(struct metrics *metrics, enum route_place place, unsigned status)
{
    size_t n = 0;

    while (n < METRICS_STATUSES - 1 && statuses[n] != status)
        n++;
    atomic_fetch_add_explicit(&metrics->request[place][n], 1, memory_order_relaxed);
}

void metrics_count_hit(struct metrics *metrics, const struct record_hit *hit)
{
    if ((unsigned)hit->kind < METRICS_KINDS && (unsigned)hit->verdict < METRICS_VERDICTS)
        atomic_fetch_add_explicit(&metrics->hit[hit->kind][hit->verdict], 1, memory_order_relaxed);
}

/* A pair of labels that never came is left out, but for STATUS 200: a graph then begins at zero. */
static void add_requests(struct metrics *metrics, struct buf *out)
{
    static const char name[] = "spoor_pixeld_requests_total";
    char labels[LABELS_MAX];

    prometheus_family(out, name, PROMETHEUS_COUNTER, "Requests answered, by what was asked for and status.");
    for (size_t place = 0; place < ROUTE_PLACES; place++)
        for (size_t n = 0; n < METRICS_STATUSES; n++) {
            uint64_t count = atomic_load_explicit(&metrics->request[place][n], memory_order_relaxed);

            snprintf(labels, sizeof labels, "route=\"%s\",status=\"%u\"", route_name((enum route_place)place), statuses[n]);
            if (count || statuses[n] == 200)
                prometheus_sample(out, name, labels, count);
        }
}

static void add_hits(struct metrics *metrics, struct buf *out)
{
    static const char name[] = "spoor_pixeld_hits_total";
    char labels[LABELS_MAX];

    prometheus_family(out, name, PROMETHEUS_COUNTER, "Views and clicks under a token of ours, by kind and first verdict.");
    for (size_t kind = 0; kind < METRICS_KINDS; kind++)
        for (size_t verdict = 0; verdict < METRICS_VERDICTS; verdict++) {
            uint64_t count = atomic_load_explicit(&metrics->hit[kind][verdict], memory_order_relaxed);

            if (count == 0)
                continue;
            snprintf(labels, sizeof labels, "kind=\"%s\",verdict=\"%s\"", hit_kind_name((enum hit_kind)kind),
                     hit_verdict_name((enum hit_verdict)verdict));
            prometheus_sample(out, name, labels, count);
        }
}

static void add_number(struct buf *out, enum prometheus_type type, const char *name, const char *help, uint64_t value)
{
    prometheus_family(out, name, type, help);
    prometheus_sample(out, name, "", value);
}

static void add_connections(struct http *http, struct buf *out)
{
    static const char refused[] = "spoor_pixeld_connections_refused_total";
    struct http_counts counts = http_counts(http);

    add_number(out, PROMETHEUS_GAUGE, "spoor_pixeld_connections", "Connections open now.", counts.open);
    prometheus_family(out, refused, PROMETHEUS_COUNTER, "Connections closed at once, by the limit that was reached.");
    prometheus_sample(out, refused, "limit=\"connections\"", counts.limited);
    prometheus_sample(out, refused, "limit=\"connections_per_address\"", counts.limited_address);
    add_number(out, PROMETHEUS_COUNTER, "spoor_pixeld_connections_late_total",
               "Connections closed, for a request's header did not come in time.", counts.late);
}

/* The spool's files as they lie on the disk. */
static uint64_t bytes_on_disk(const char *directory)
{
    DIR *folder = opendir(directory);
    const struct dirent *entry;
    struct stat status;
    uint64_t bytes = 0;

    while (folder && (entry = readdir(folder)))
        if (fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode))
            bytes += (uint64_t)status.st_size;
    if (folder)
        closedir(folder);
    return bytes;
}

uint64_t metrics_appended(const struct recorder *recorder)
{
    uint64_t bytes = 0;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (recorder->lane[shard].spool)
            bytes += spool_end(recorder->lane[shard].spool);
    return bytes;
}

/* Empty for the first server: without others nothing needs to be told apart. */
static const char *label_of(unsigned shard, char labels[LABELS_MAX])
{
    labels[0] = '\0';
    if (shard)
        snprintf(labels, LABELS_MAX, "shard=\"%u\"", shard);
    return labels;
}

/* A number of each lane; REAL is printed with a fraction. */
static void add_lanes(struct buf *out, const struct recorder *recorder, enum prometheus_type type, const char *name, const char *help,
                      double (*value)(const struct recorder_lane *lane), bool real)
{
    char labels[LABELS_MAX];

    prometheus_family(out, name, type, help);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        const struct recorder_lane *lane = &recorder->lane[shard];

        if (!lane->spool)
            continue;
        if (real)
            prometheus_sample_real(out, name, label_of(shard, labels), value(lane));
        else
            prometheus_sample(out, name, label_of(shard, labels), (uint64_t)value(lane));
    }
}

static double lane_bytes(const struct recorder_lane *lane)
{
    return (double)bytes_on_disk(lane->directory);
}

static double lane_writable(const struct recorder_lane *lane)
{
    return spool_writable(lane->spool);
}

static double lane_connected(const struct recorder_lane *lane)
{
    return loader_state(lane->loader).connected;
}

static double lane_lag(const struct recorder_lane *lane)
{
    return loader_state(lane->loader).lag_s;
}

static double lane_waiting(const struct recorder_lane *lane)
{
    return (double)loader_state(lane->loader).waiting;
}

static double lane_rejected(const struct recorder_lane *lane)
{
    return (double)loader_state(lane->loader).rejected;
}

static void add_spool(const struct metrics_sources *sources, struct buf *out)
{
    const struct recorder *recorder = sources->recorder;
    struct journal_state journal = journal_state(sources->journal, clock_wall_us());

    add_number(out, PROMETHEUS_COUNTER, "spoor_pixeld_hits_lost_total", "Hits answered that could not be written.",
               journal.lost);
    add_number(out, PROMETHEUS_COUNTER, "spoor_spool_appended_bytes_total", "Bytes of records written to the spool.",
               metrics_appended(recorder) - sources->spool_start);
    add_lanes(out, recorder, PROMETHEUS_GAUGE, "spoor_spool_bytes", "Bytes that the spool's files take.", lane_bytes, false);
    add_number(out, PROMETHEUS_GAUGE, "spoor_spool_max_bytes", "Bytes that they may take.",
               (uint64_t)sources->spool_max_bytes);
    add_lanes(out, recorder, PROMETHEUS_GAUGE, "spoor_spool_writable", "1, or 0 when the last record could not be written.",
              lane_writable, false);
}

static void add_loader(const struct recorder *recorder, struct buf *out)
{
    add_lanes(out, recorder, PROMETHEUS_GAUGE, "spoor_database_connected", "1 while the loader has the database, else 0.",
              lane_connected, false);
    add_lanes(out, recorder, PROMETHEUS_GAUGE, "spoor_loader_lag_seconds", "Age of the oldest record that waits for the database.",
              lane_lag, true);
    add_lanes(out, recorder, PROMETHEUS_GAUGE, "spoor_loader_waiting_bytes", "Bytes of records that wait for the database.",
              lane_waiting, false);
    add_lanes(out, recorder, PROMETHEUS_COUNTER, "spoor_loader_rejected_total", "Records that the database refused.",
              lane_rejected, false);
}

void metrics_add_text(struct metrics *metrics, const struct metrics_sources *sources, struct buf *out)
{
    static const char start[] = "process_start_time_seconds";

    prometheus_family(out, start, PROMETHEUS_GAUGE, "Start time of the process since the Unix epoch in seconds.");
    prometheus_sample_real(out, start, "", (double)sources->start_us / 1e6);
    add_requests(metrics, out);
    add_hits(metrics, out);
    add_connections(sources->http, out);
    add_spool(sources, out);
    add_loader(sources->recorder, out);
}
