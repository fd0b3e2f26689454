/* SPDX-License-Identifier: BSD-2-Clause */
/* check - one line for each thing Spoor needs: is it there, and if not, what to do. */

#include "common/cache.h"
#include "common/conninfo.h"
#include "common/db.h"
#include "common/keys.h"
#include "common/shard.h"
#include "common/spool_walk.h"
#include "common/store.h"
#include "common/store_outbox.h"
#include "ctl/account.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/replication.h"
#include "ctl/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ASK_MS = 3000, LATE_S = 300 };

static bool say(bool good, const char *what, const char *state, const char *advice)
{
    progress_clear();
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

/* Other keys than those of before would make all mail a stranger's: none are made where there were some. */
static void add_keys_advice(const char *key_file, struct buf *advice)
{
    struct stat stat_of;

    if (stat(key_file, &stat_of) != 0)
        buf_add_str(advice, "copy it from another host, or on the first one: spoorctl keygen");
    else if (S_ISREG(stat_of.st_mode) && (stat_of.st_mode & 07777 & ~0640U))
        buf_add_f(advice, "chmod 0640 %s", key_file);
    else
        buf_add_str(advice, "put your copy of it back");
}

static bool check_keys(const struct conf *conf)
{
    struct buf text, advice;
    struct keys *keys;
    bool good;

    if (!conf->key_file[0])
        return say(false, "keys", "not checked", "see configuration");
    buf_init(&text, 1024);
    buf_init(&advice, 4096);
    keys = keys_load(conf->key_file, &text);
    if (keys)
        buf_add_f(&text, "%s: %zu keys, key %u signs", conf->key_file, keys_count(keys), keys_signing_id(keys));
    add_keys_advice(conf->key_file, &advice);
    good = say(keys != NULL, "keys", buf_text(&text), buf_text(&advice));
    keys_free(keys);
    buf_free(&advice);
    buf_free(&text);
    return good;
}

static bool check_schema(struct db *db)
{
    struct buf why;
    enum store_answer answer;

    buf_init(&why, 1024);
    answer = store_fits(db, &why, ASK_MS);
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

static bool check_server(const struct conf *conf, unsigned shard)
{
    struct db *db = db_new_shard(shard_database(conf, shard), shard, "spoorctl");
    char name[SHARD_NAME_BYTES];
    bool good;

    progress_tell("asking %s", shard_name(shard, name));
    good = db && db_connect(db, ASK_MS);
    say(good, shard ? shard_name(shard, name) : "database", good ? "answers" : db ? db_error(db) : "no memory",
        shard ? "is that PostgreSQL running, and does `shards` name it?" : "is PostgreSQL running, and does `database` name it?");
    if (!good)
        say(false, "schema", "not checked", "see database");
    else if ((good = check_schema(db))) {
        good = replication_check(db, shard, say);
        good &= check_sinks(conf, db);
    }
    db_free(db);
    return good;
}

static bool check_databases(const struct conf *conf)
{
    bool good = true;

    if (!conf->database[0])
        return say(false, "database", "not checked", "see configuration");
    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (shard_database(conf, shard))
            good &= check_server(conf, shard);
    return good;
}

/* What one daemon needs, looked at as its user. */
struct daemon {
    const struct conf *conf;
    enum conf_part part;
    const char *user;
    bool first; /* looks at the schema for all */
    bool looked;
};
enum { DAEMON_REACHED_NOTHING = 2 }; /* beside the ends of a command: nobody has looked at the schema yet */

/* Its password is its own. */
static void say_unreached(const struct daemon *daemon, const char *what, const char *role, const char *why)
{
    bool lacks_password = strstr(why, "no password supplied") != NULL;
    struct buf text;

    buf_init(&text, 4096);
    buf_add_f(&text, "%s: %s as %s: ", conf_part_section(daemon->part), daemon->user, role);
    if (lacks_password)
        buf_add_f(&text, "not checked, for it wants a password, and neither PGPASSFILE nor the unit of spoor-%s names a file with one",
                  conf_part_section(daemon->part));
    else
        buf_add_str(&text, why);
    say(false, what, buf_text(&text),
        lacks_password ? "contrib/cluster/passwords.conf has the lines for the units"
                       : "is PostgreSQL running, and do pg_hba.conf and pg_ident.conf let this user be this role?");
    buf_free(&text);
}

static bool check_daemon_server(struct daemon *daemon, unsigned shard)
{
    const char *role = getenv("PGUSER") ? getenv("PGUSER") : conf_part_role(daemon->part);
    char name[SHARD_NAME_BYTES];
    struct buf conninfo, text;
    struct db *db;
    bool good;

    buf_init(&conninfo, 16384);
    buf_init(&text, 4096);
    conninfo_add_with_role(&conninfo, shard_database(daemon->conf, shard), role);
    db = conninfo.failed ? NULL : db_new_shard(buf_text(&conninfo), shard, "spoorctl");
    good = db && db_connect(db, ASK_MS);
    buf_add_f(&text, "%s: %s as %s: answers", conf_part_section(daemon->part), daemon->user, role);
    if (good)
        say(true, shard ? shard_name(shard, name) : "database", buf_text(&text), "");
    else
        say_unreached(daemon, shard ? shard_name(shard, name) : "database", role, db ? db_error(db) : "no memory");
    daemon->looked |= good;
    if (good && daemon->first)
        good = check_schema(db) && replication_check(db, shard, say);
    if (good && daemon->part == CONF_RELAY)
        good = check_sinks(daemon->conf, db);
    db_free(db);
    buf_free(&text);
    buf_free(&conninfo);
    return good;
}

static bool check_daemon_databases(struct daemon *daemon)
{
    bool good = true;

    for (unsigned shard = 0; shard < SHARDS; shard++)
        if (shard_database(daemon->conf, shard))
            good &= check_daemon_server(daemon, shard);
    return good;
}

/* Only a failure has a line: others have told of the file and the folder. */
static bool check_daemon_access(const struct daemon *daemon, const char *what, const char *path, int mode, const char *advice)
{
    struct buf text;

    if (!*path || access(path, mode) == 0)
        return true;
    buf_init(&text, 4096);
    buf_add_f(&text, "%s: %s: %s: %s", conf_part_section(daemon->part), daemon->user, path, strerrordesc_np(errno));
    say(false, what, buf_text(&text), advice);
    buf_free(&text);
    return false;
}

static bool check_daemon_spool(const struct daemon *daemon)
{
    const struct conf *conf = daemon->conf;
    struct buf own;
    bool good;

    buf_init(&own, 4096);
    buf_add_f(&own, "%s/%s%s%s", conf->spool_directory, conf_part_section(daemon->part), *conf->instance ? "-" : "", conf->instance);
    good = check_daemon_access(daemon, "spool", access(buf_text(&own), F_OK) == 0 ? buf_text(&own) : conf->spool_directory, W_OK | X_OK,
                               "each daemon makes a folder of its own below spool_directory");
    buf_free(&own);
    return good;
}

static int check_daemon(void *arg)
{
    static const char keys_advice[] = "give the file to key_group, with mode 0640, and the user to that group";
    struct daemon *daemon = arg;
    enum conf_part part = daemon->part;
    bool good;

    unit_take_environment(part);
    good = check_daemon_databases(daemon);

    if (part == CONF_STAMP || part == CONF_MATCH || part == CONF_PIXELD)
        good &= check_daemon_access(daemon, "keys", daemon->conf->key_file, R_OK, keys_advice);
    if (part != CONF_RELAY && part != CONF_RENDER)
        good &= check_daemon_spool(daemon);
    return good ? COMMAND_DONE : daemon->looked ? COMMAND_FAILED : DAEMON_REACHED_NOTHING;
}

static bool runs_here(const struct conf *conf, enum conf_part part)
{
    switch (part) {
    case CONF_STAMP: return *conf->stamp.milter.listen;
    case CONF_MATCH: return *conf->match.milter.listen;
    case CONF_PIXELD: return conf->pixeld.listen.count > 0 || conf->pixeld.listen_tls.count > 0;
    case CONF_DELIVERY: return conf->delivery.log.count > 0;
    case CONF_RELAY: return conf->sinks > 0;
    default: return *conf->render.user || strchr(conf->user, '{');
    }
}

/* As root: each daemon that is set up here, as whom it runs. */
static bool check_daemons(const struct conf *conf)
{
    struct daemon daemon = {.conf = conf, .first = true};
    bool good = true;

    if (!conf->database[0])
        return say(false, "database", "not checked", "see configuration");
    for (daemon.part = CONF_STAMP; daemon.part < CONF_PARTS; daemon.part++) {
        char *user = conf_part_user(conf, daemon.part);

        daemon.user = user;
        if (user && runs_here(conf, daemon.part) && account_exists(user)) {
            int end = account_run(user, check_daemon, &daemon);

            good &= end == COMMAND_DONE;
            daemon.first &= end == DAEMON_REACHED_NOTHING;
        } else if (user && runs_here(conf, daemon.part) && daemon.part < CONF_RELAY) {
            good &= say(false, "user", user, "is not there: make it, or change `user`");
        }
        free(user);
    }
    return good;
}

static bool check_memcached(const struct conf *conf)
{
    struct buf why;
    struct cache *cache;
    bool good;

    buf_init(&why, 1024);
    progress_tell("asking memcached");
    cache = cache_new(conf->memcached, ASK_MS, NULL, &why);
    good = cache && cache_answers(cache, &why);
    say(good, "memcached", good ? conf->memcached[0] ? conf->memcached : "none configured" : buf_text(&why),
        "start it, or set memcached = \"\" to do without");
    cache_free(cache);
    buf_free(&why);
    return good;
}

static bool check_spool(const struct conf *conf)
{
    struct buf in_it, text;
    bool good;

    buf_init(&text, 4096);
    buf_init(&in_it, 4096);
    buf_add_f(&in_it, "%s/.", conf->spool_directory); /* which a file does not have */
    buf_add_str(&text, conf->spool_directory);
    good = access(buf_text(&in_it), R_OK | W_OK | X_OK) == 0;
    if (!good)
        buf_add_f(&text, ": %s", strerrordesc_np(errno));
    buf_free(&in_it);
    say(good, "spool", buf_text(&text), "make the folder and give it to the user the daemons run as");
    buf_free(&text);
    return good;
}

/* How far the database is behind one spool. */
static bool check_lag(void *arg, const char *path)
{
    const struct conf *conf = arg;
    const char *name = path + strlen(conf->spool_directory) + 1;
    unsigned shard = spool_walk_shard(path);
    bool named = shard_database(conf, shard) != NULL, good;
    struct spool_walk_waiting waiting;
    struct spool_walk walk;
    struct buf text;
    int64_t late_s;

    buf_init(&text, 4096);
    progress_tell("looking at %s", path);
    good = spool_walk_open(&walk, path, &text);
    if (good) {
        waiting = spool_walk_waiting(&walk, spool_walk_loaded(&walk));
        late_s = waiting.oldest_us ? time(NULL) - waiting.oldest_us / 1000000 : 0;
        good = named ? late_s <= LATE_S : waiting.bytes == 0;
        buf_add_f(&text, "%" PRIu64 " bytes wait for the database", waiting.bytes);
        if (!named)
            buf_add_f(&text, " of shard %u, which shards does not name", shard);
        if (late_s > 0)
            buf_add_f(&text, ", the oldest record for %" PRId64 " s", late_s);
        spool_walk_close(&walk);
    }
    say(good, name, buf_text(&text), named ? "is the daemon running, and what does its log say?"
                                           : "name it there again, until all is loaded");
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
    good = spool_walk_folders(conf->spool_directory, check_lag, (void *)(uintptr_t)conf, &error);
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
    good &= geteuid() == 0 && *conf->user ? check_daemons(conf) : check_databases(conf);
    good &= check_memcached(conf);
    good &= check_spools(conf);
    return good ? COMMAND_DONE : COMMAND_FAILED;
}
