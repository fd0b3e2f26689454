/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics - numbers for Prometheus: how far the database is behind each spool of this host, and what the database says of itself.
 *
 * The spools are read from outside, so they tell also while their daemons or the database are away.
 */

#include "common/db.h"
#include "common/file_replace.h"
#include "common/prometheus.h"
#include "common/shard.h"
#include "common/spool_walk.h"
#include "common/store.h"
#include "ctl/command.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ASK_MS = 10000, TEXT_MAX = 1024 * 1024, LABEL_MAX = 300, FILE_MODE = 0644 };

static const struct db_statement read_health = {
    "read_health", "select name, labels, value, meaning from spoor.health order by name, labels", 0};

struct spools {
    const struct conf *conf;
    struct buf waiting; /* samples of a family each */
    struct buf lag;
    struct buf unnamed;
};

/* Who made the folder chose its name. */
static void write_label(char label[LABEL_MAX], const char *spool)
{
    size_t at = (size_t)snprintf(label, LABEL_MAX, "spool=\"");

    for (; *spool && at < LABEL_MAX - 2; spool++)
        label[at++] = (unsigned char)*spool < 0x20 || strchr("\"\\\x7f", *spool) ? '_' : *spool;
    label[at] = '"';
    label[at + 1] = '\0';
}

static bool add_spool(void *arg, const char *path)
{
    struct spools *spools = arg;
    struct spool_walk_waiting waiting;
    struct spool_walk walk;
    char label[LABEL_MAX];
    struct buf error;
    int64_t lag_s;
    bool good;

    buf_init(&error, 4096);
    good = spool_walk_open(&walk, path, &error);
    if (good) {
        waiting = spool_walk_waiting(&walk, spool_walk_loaded(&walk));
        lag_s = waiting.oldest_us ? time(NULL) - waiting.oldest_us / 1000000 : 0;
        write_label(label, path + strlen(spools->conf->spool_directory) + 1);
        prometheus_sample(&spools->waiting, "spoor_spool_waiting_bytes", label, waiting.bytes);
        prometheus_sample(&spools->lag, "spoor_spool_lag_seconds", label, lag_s > 0 ? (uint64_t)lag_s : 0);
        if (!shard_database(spools->conf, spool_walk_shard(path)))
            prometheus_sample(&spools->unnamed, "spoor_spool_unnamed_bytes", label, waiting.bytes);
        spool_walk_close(&walk);
    } else {
        fprintf(stderr, "spoorctl: %s\n", buf_text(&error));
    }
    buf_free(&error);
    return good;
}

static bool add_spools(const struct conf *conf, struct buf *out)
{
    struct spools spools = {.conf = conf};
    struct buf error;
    bool good;

    buf_init(&spools.waiting, TEXT_MAX);
    buf_init(&spools.lag, TEXT_MAX);
    buf_init(&spools.unnamed, TEXT_MAX);
    buf_init(&error, 4096);
    good = spool_walk_folders(conf->spool_directory, add_spool, &spools, &error);
    if (error.len)
        fprintf(stderr, "spoorctl: %s\n", buf_text(&error));
    prometheus_family(out, "spoor_spool_waiting_bytes", PROMETHEUS_GAUGE, "Bytes of records that wait for the database.");
    buf_add_slice(out, buf_slice(&spools.waiting));
    prometheus_family(out, "spoor_spool_lag_seconds", PROMETHEUS_GAUGE, "Age of the oldest record that waits for the database.");
    buf_add_slice(out, buf_slice(&spools.lag));
    prometheus_family(out, "spoor_spool_unnamed_bytes", PROMETHEUS_GAUGE,
                      "Bytes of records that wait for a server which shards does not name.");
    buf_add_slice(out, buf_slice(&spools.unnamed));
    buf_free(&spools.waiting);
    buf_free(&spools.lag);
    buf_free(&spools.unnamed);
    buf_free(&error);
    return good;
}

struct server {
    struct db *db;
    struct db_result *result; /* NULL: it does not answer */
};

/* Without further servers nothing needs to be told apart. */
static void add_sample(struct buf *out, const char *name, const char *labels, unsigned shard, uint64_t value)
{
    char all[LABEL_MAX];

    snprintf(all, sizeof all, shard ? "%s%sshard=\"%u\"" : "%s", labels, *labels ? "," : "", shard);
    prometheus_sample(out, name, all, value);
}

/* What all servers say of NAME, together as a family must be. */
static void add_family(const struct server *server, const char *name, const char *meaning, struct buf *out)
{
    prometheus_family(out, name, PROMETHEUS_GAUGE, meaning);
    for (unsigned shard = 0; shard < SHARDS; shard++)
        for (size_t row = 0; server[shard].result && row < db_rows(server[shard].result); row++)
            if (strcmp(db_value(server[shard].result, row, 0), name) == 0)
                add_sample(out, name, db_value(server[shard].result, row, 1), shard,
                           (uint64_t)db_integer(server[shard].result, row, 2));
}

static bool tells(const struct db_result *result, const char *name, size_t rows)
{
    for (size_t row = 0; result && row < rows; row++)
        if (strcmp(db_value(result, row, 0), name) == 0)
            return true;
    return false;
}

/* Each name once, where the first server that tells it does so first. */
static void add_families(const struct server *server, struct buf *out)
{
    for (unsigned shard = 0; shard < SHARDS; shard++)
        for (size_t row = 0; server[shard].result && row < db_rows(server[shard].result); row++) {
            const char *name = db_value(server[shard].result, row, 0);
            bool told = tells(server[shard].result, name, row);

            for (unsigned before = 0; before < shard && !told; before++)
                told = server[before].result && tells(server[before].result, name, db_rows(server[before].result));
            if (!told)
                add_family(server, name, db_value(server[shard].result, row, 3), out);
        }
}

static void ask(const struct conf *conf, unsigned shard, struct server *server)
{
    char name[SHARD_NAME_BYTES];

    server->db = db_new_shard(shard_database(conf, shard), shard, "spoorctl");
    if (server->db && store_connect(server->db, ASK_MS))
        server->result = db_ask(server->db, &read_health, NULL, ASK_MS);
    if (!server->result)
        fprintf(stderr, "spoorctl: cannot ask %s: %s\n", shard_name(shard, name), server->db ? db_error(server->db) : "out of memory");
}

static void add_databases(const struct conf *conf, struct buf *out)
{
    struct server server[SHARDS] = {{NULL, NULL}};

    prometheus_family(out, "spoor_database_answers", PROMETHEUS_GAUGE, "1 while the database can be asked, else 0.");
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        if (!shard_database(conf, shard))
            continue;
        ask(conf, shard, &server[shard]);
        add_sample(out, "spoor_database_answers", "", shard, server[shard].result != NULL);
    }
    add_families(server, out);
    for (unsigned shard = 0; shard < SHARDS; shard++) {
        db_result_free(server[shard].result);
        db_free(server[shard].db);
    }
}

static bool write_text(const char *path, const struct buf *text)
{
    if (text->failed) {
        fprintf(stderr, "spoorctl: too many numbers\n");
        return false;
    }
    if (!path) {
        fwrite(buf_text(text), 1, text->len, stdout);
        return true;
    }
    if (file_replace(path, FILE_MODE, buf_slice(text)))
        return true;
    fprintf(stderr, "spoorctl: cannot write %s: %m\n", path);
    return false;
}

int metrics_command(const struct conf *conf, int argc, char **argv)
{
    struct buf text;
    bool good;

    if (argc > 2)
        return COMMAND_USAGE;
    buf_init(&text, TEXT_MAX);
    good = add_spools(conf, &text);
    add_databases(conf, &text); /* one that is away is told by a number */
    good = write_text(argc == 2 ? argv[1] : NULL, &text) && good;
    buf_free(&text);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}
