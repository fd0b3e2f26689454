/* SPDX-License-Identifier: BSD-2-Clause */
/* check - one line for each thing Spoor needs: is it there, and if not, what to do. */

#include "common/cache.h"
#include "common/db.h"
#include "common/keys.h"
#include "common/store.h"
#include "common/store_outbox.h"
#include "ctl/account.h"
#include "ctl/command.h"
#include "ctl/spool_walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ASK_MS = 3000, LATE_S = 300 };

static bool say(bool good, const char *what, const char *state, const char *advice)
{
    printf("%-13s %-4s  %s%s%s\n", what, good ? "ok" : "FAIL", state, good ? "" : " - ", good ? "" : advice);
    return good;
}

/* Is all there that the programs share? CONF was loaded without asking. */
static bool check_configuration(const struct conf *conf)
{
    struct buf error;
    struct conf *complete;
    bool good;

    buf_init(&error, 4096);
    complete = conf_load(conf->path, CONF_SHARED, &error);
    good = say(complete != NULL, "configuration", complete ? conf->path : buf_text(&error), "set it there");
    conf_free(complete);
    buf_free(&error);
    return good;
}

static bool check_keys(const struct conf *conf)
{
    struct buf text;
    struct keys *keys;
    bool good;

    if (!conf->key_file[0])
        return say(false, "keys", "not checked", "see configuration");
    buf_init(&text, 1024);
    keys = keys_load(conf->key_file, &text);
    if (keys)
        buf_add_f(&text, "%s: %zu keys, key %u signs", conf->key_file, keys_count(keys), keys_signing_id(keys));
    good = say(keys != NULL, "keys", buf_text(&text), "spoorctl keygen makes the file");
    if (good && geteuid() == 0 && conf->user[0] && !account_reads(conf->user, conf->key_file)) {
        buf_reset(&text);
        buf_add_f(&text, "user %s cannot read %s", conf->user, conf->key_file);
        good = say(false, "keys", buf_text(&text), "give the file to the user's group, with mode 0640: SIGHUP reads it again");
    }
    keys_free(keys);
    buf_free(&text);
    return good;
}

static bool check_schema(struct db *db)
{
    struct buf why;
    enum store_answer answer;

    buf_init(&why, 1024);
    answer = store_schema_fits(db, &why, ASK_MS);
    if (answer == STORE_AWAY)
        buf_add_str(&why, db_error(db));
    say(answer == STORE_YES, "schema", answer == STORE_YES ? "fits this version" : buf_text(&why),
        "spoorctl schema install, or upgrade");
    buf_free(&why);
    return answer == STORE_YES;
}

struct sinks {
    const struct conf *conf;
    bool good;
};

static bool is_configured(const struct conf *conf, const char *name)
{
    for (size_t n = 0; n < conf->sinks; n++)
        if (strcmp(conf->sink[n].name, name) == 0)
            return true;
    return false;
}

/* How far one sink is behind. */
static void check_sink(void *arg, const struct store_lag *lag)
{
    struct sinks *sinks = arg;
    bool known = lag->type || is_configured(sinks->conf, lag->sink);
    char name[80];
    struct buf text;
    bool good;

    buf_init(&text, 4096);
    buf_add_f(&text, "%" PRId64 " events are due", lag->due);
    if (lag->lag_s > 0)
        buf_add_f(&text, ", the oldest for %" PRId64 " s", lag->lag_s);
    if (lag->dead)
        buf_add_f(&text, ", %" PRId64 " were given up", lag->dead);
    if (!known)
        buf_add_str(&text, "; no spoor-relay knows this sink");
    if (lag->trouble)
        buf_add_f(&text, "; %s", lag->trouble);
    good = lag->lag_s <= LATE_S && lag->dead == 0 && known && !lag->trouble;
    snprintf(name, sizeof name, "sink %s", lag->sink);
    sinks->good &= say(good, name, buf_text(&text),
                       lag->dead ? "see spoor.outbox; spoor.retry_outbox() tries them again" : "see the log of spoor-relay");
    buf_free(&text);
}

static bool check_sinks(const struct conf *conf, struct db *db)
{
    struct sinks sinks = {.conf = conf, .good = true};

    /* whoever may not ask does not hear of sinks */
    store_outbox_lag(db, check_sink, &sinks, ASK_MS);
    return sinks.good;
}

static bool check_database(const struct conf *conf)
{
    struct db *db;
    bool good;

    if (!conf->database[0])
        return say(false, "database", "not checked", "see configuration");
    db = db_new(conf->database, "spoorctl");
    good = db && db_connect(db, ASK_MS);
    say(good, "database", good ? "answers" : db ? db_error(db) : "no memory",
        "is PostgreSQL running, and does `database` name it?");
    if (good)
        good = check_schema(db) && check_sinks(conf, db);
    else
        say(false, "schema", "not checked", "see database");
    db_free(db);
    return good;
}

static bool check_memcached(const struct conf *conf)
{
    struct buf why;
    struct cache *cache;
    bool good;

    buf_init(&why, 1024);
    cache = cache_new(conf->memcached, ASK_MS, &why);
    good = cache && cache_answers(cache, &why);
    say(good, "memcached", good ? conf->memcached[0] ? conf->memcached : "none configured" : buf_text(&why),
        "start it, or set memcached = \"\" to do without");
    cache_free(cache);
    buf_free(&why);
    return good;
}

static bool check_spool(const struct conf *conf)
{
    struct stat stat_of;
    struct buf text;
    bool good = stat(conf->spool_directory, &stat_of) == 0 && S_ISDIR(stat_of.st_mode) &&
                access(conf->spool_directory, R_OK | W_OK | X_OK) == 0;

    buf_init(&text, 4096);
    buf_add_str(&text, conf->spool_directory);
    if (!good)
        buf_add_f(&text, ": %s", errno ? strerrordesc_np(errno) : "is no directory");
    say(good, "spool", buf_text(&text), "make the folder and give it to the user the daemons run as");
    buf_free(&text);
    return good;
}

/* How far the database is behind one spool. */
static bool check_lag(void *arg, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    struct spool_walk walk;
    struct buf text;
    struct spool_walk_waiting waiting;
    int64_t late_s;
    bool good;

    (void)arg;
    buf_init(&text, 4096);
    good = spool_walk_open(&walk, path, &text);
    if (good) {
        waiting = spool_walk_waiting(&walk, spool_walk_loaded(&walk));
        late_s = waiting.oldest_us ? time(NULL) - waiting.oldest_us / 1000000 : 0;
        good = late_s <= LATE_S;
        buf_add_f(&text, "%" PRIu64 " bytes wait for the database", waiting.bytes);
        if (late_s > 0)
            buf_add_f(&text, ", the oldest record for %" PRId64 " s", late_s);
        spool_walk_close(&walk);
    }
    say(good, name, buf_text(&text), "is the daemon running, and what does its log say?");
    buf_free(&text);
    return good;
}

static bool check_spools(const struct conf *conf)
{
    struct buf error;
    bool good;

    if (!check_spool(conf))
        return false;
    buf_init(&error, 4096);
    good = spool_walk_folders(conf->spool_directory, check_lag, NULL, &error);
    buf_free(&error);
    return good;
}

int check_command(const struct conf *conf, int argc, char **argv)
{
    bool good;

    (void)argv;
    if (argc != 1)
        return COMMAND_USAGE;
    good = check_configuration(conf);
    good &= check_keys(conf);
    good &= check_database(conf);
    good &= check_memcached(conf);
    good &= check_spools(conf);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}
