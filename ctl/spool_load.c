/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_load - see spool_load.h */

#include "ctl/spool_load.h"

#include "common/forgotten_list.h"
#include "common/loader.h"
#include "common/log.h"
#include "common/shard.h"
#include "common/spool_walk.h"
#include "ctl/progress.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ERROR_MOST = 8192, START_MS = 10000, DRAIN_MS = 7 * 24 * 3600 * 1000 /* as long as it takes */ };

static bool say(const char *folder, const char *why)
{
    fprintf(stderr, "spoorctl: %s: %s\n", folder, why);
    return false;
}

/* Opening would make a spool where there is none. */
static bool is_spool(const char *folder, struct buf *error)
{
    struct spool_walk walk;
    size_t segments;

    if (!spool_walk_open(&walk, folder, error))
        return false;
    segments = walk.segments;
    spool_walk_close(&walk);
    if (segments == 0)
        buf_add_f(error, "%s: there is no spool in it", folder);
    return segments > 0;
}

/* New files in it must be of whoever has it, or its daemon could not open them. */
static bool become_owner(const char *folder)
{
    struct stat status;

    if (geteuid() != 0)
        return true;
    return stat(folder, &status) == 0 && setgroups(0, NULL) == 0 &&
           setresgid(status.st_gid, status.st_gid, status.st_gid) == 0 &&
           setresuid(status.st_uid, status.st_uid, status.st_uid) == 0;
}

static uint64_t left(void *spool)
{
    return spool_waiting(spool, spool_loaded(spool));
}

static bool run_loader(struct spool *spool, const struct conf *conf, const char *folder, struct buf *why)
{
    char host[256] = "localhost";
    unsigned shard = spool_walk_shard(folder);
    struct loader_options options = {
        .conninfo = shard_database(conf, shard), .program = "spoorctl", .host = host, .shard = shard};
    struct loader *loader;
    enum loader_start start;

    if (gethostname(host, sizeof host - 1) != 0)
        return say(folder, strerrordesc_np(errno));
    if (!options.conninfo)
        return say(folder, "spoor.conf names no such server in shards");
    loader = loader_start(spool, &options, why);
    if (!loader)
        return say(folder, buf_text(why));
    progress_tell("%s", folder);
    progress_follow(left, spool);
    start = loader_wait_start(loader, START_MS, why);
    loader_stop(loader, start == LOADER_READY ? DRAIN_MS : 0);
    progress_end();
    return start == LOADER_READY || say(folder, start == LOADER_UNFIT ? buf_text(why) : "the database cannot be reached");
}

static bool is_all_loaded(struct spool *spool, const char *folder)
{
    struct spool_inherited inherited;
    uint64_t waiting = spool_waiting(spool, spool_loaded(spool));

    if (!spool_inherited(spool, &inherited) && waiting == 0)
        return true;
    fprintf(stderr, "spoorctl: %s: not all of it is in the database; it can be loaded again\n", folder);
    return false;
}

bool spool_load(const struct conf *conf, const char *folder)
{
    struct spool_options options = {
        .directory = folder, .segment_bytes = conf->spool_segment_bytes, .max_bytes = conf->spool_max_bytes,
        .keep_s = conf->spool_keep_s};
    struct buf warning, error;
    struct spool *spool = NULL;
    bool done = false;

    if (!*conf->database)
        return say(conf->path, "database is missing: where the records go");
    buf_init(&warning, ERROR_MOST);
    buf_init(&error, ERROR_MOST);
    log_open("spoorctl", true);
    if (!is_spool(folder, &error))
        fprintf(stderr, "spoorctl: %s\n", buf_text(&error));
    else if (!become_owner(folder))
        say(folder, strerrordesc_np(errno));
    else if (!(spool = spool_open(&options, &warning, &error)))
        fprintf(stderr, "spoorctl: %s\n", buf_text(&error));
    if (warning.len)
        fprintf(stderr, "spoorctl: %s\n", buf_text(&warning));
    if (spool) {
        forgotten_list_open(folder);
        done = run_loader(spool, conf, folder, &error) && is_all_loaded(spool, folder);
        if (spool_close(spool, NULL) != SPOOL_OK)
            done = say(folder, strerrordesc_np(errno));
    }
    buf_free(&error);
    buf_free(&warning);
    return done;
}
