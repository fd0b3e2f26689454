/* SPDX-License-Identifier: BSD-2-Clause */
/* schema - see schema.h */

#include "ctl/schema.h"

#include "common/clock.h"
#include "common/db.h"
#include "common/shard.h"
#include "ctl/command.h"
#include "ctl/migration.h"
#include "ctl/progress.h"
#include "ctl/schema_shards.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_MS = 10000,
    QUESTION_MS = 30000,
    LOCK_MS = 30 * 60 * 1000,      /* the other one may be building an index */
    FORGET_MS = 6 * 3600 * 1000,
    ALL_SHARDS = SHARDS
};

static const struct db_statement is_installed = {
    "is_installed", "select to_regclass('spoor.schema') is not null", 0};
static const struct db_statement read_version = {
    "read_version", "select version, compatible_from from spoor.schema", 0};
static const struct db_statement try_lock = {"try_lock", "select pg_try_advisory_lock(hashtext('spoor.schema'))", 0};

struct schema_state {
    int version; /* 0: nothing is installed */
    int compatible_from;
};

static bool say_error(struct db *db, const char *doing)
{
    progress_clear();
    fprintf(stderr, "spoorctl: cannot %s: %s\n", doing, db_error(db));
    return false;
}

static bool read_state(struct db *db, struct schema_state *state)
{
    struct db_result *result = db_ask(db, &is_installed, NULL, QUESTION_MS);
    bool installed;

    *state = (struct schema_state){0, 0};
    if (!result)
        return say_error(db, "ask for the schema");
    installed = strcmp(db_value(result, 0, 0), "t") == 0;
    db_result_free(result);
    if (!installed)
        return true;
    result = db_ask(db, &read_version, NULL, QUESTION_MS);
    if (!result)
        return say_error(db, "read the version of the schema");
    if (db_rows(result)) {
        state->version = (int)db_integer(result, 0, 0);
        state->compatible_from = (int)db_integer(result, 0, 1);
    }
    db_result_free(result);
    return true;
}

/* the folder of migrations */

static const char *folder(void)
{
    const char *wanted = getenv("SPOOR_SQL_DIR");

    return wanted && wanted[0] ? wanted : SQLDIR;
}

static int is_migration(const struct dirent *entry)
{
    return migration_number(entry->d_name) > 0;
}

/* all that are missing */

static bool apply_missing(struct db *db, struct dirent **entry, int count, int version)
{
    int last = count ? migration_number(entry[count - 1]->d_name) : 0;

    if (last < version) {
        fprintf(stderr, "spoorctl: the database has schema %d, but %s ends at %d: a newer Spoor has been here\n", version,
                folder(), last);
        return false;
    }
    for (int at = 0; at < count; at++) {
        int number = migration_number(entry[at]->d_name);

        if (number <= version)
            continue;
        if (number != version + 1) {
            fprintf(stderr, "spoorctl: %s/%s: migration %d is missing before it or is there twice\n", folder(),
                    entry[at]->d_name, version + 1);
            return false;
        }
        progress_tell("%s, %d of %d", entry[at]->d_name, number, last);
        if (!migration_apply(db, folder(), entry[at]->d_name))
            return false;
        version = number;
    }
    progress_clear();
    printf("the schema is at version %d\n", version);
    return true;
}

/* A database that was restored from a backup may hold people again who are forgotten. */
static bool forget_again(struct db *db)
{
    static const struct db_statement apply_forgotten = {"apply_forgotten", "select spoor.apply_forgotten()", 0};
    struct db_result *result;

    progress_tell("looking for those who are forgotten");
    result = db_ask(db, &apply_forgotten, NULL, FORGET_MS);
    progress_clear();
    if (!result)
        return say_error(db, "delete again who is forgotten");
    if (db_integer(result, 0, 0))
        printf("%lld who are forgotten were there again, and are deleted\n", (long long)db_integer(result, 0, 0));
    db_result_free(result);
    return true;
}

/*
 * One at a time; the lock goes with the connection. Asked for again and again: who waits inside a statement has a snapshot,
 * and the other one's CREATE INDEX CONCURRENTLY waits for all snapshots to go.
 */
static bool lock(struct db *db)
{
    int64_t until_ms = clock_monotonic_ms() + LOCK_MS;

    progress_tell("waiting for another spoorctl schema");
    for (bool first = true;; first = false) {
        struct db_result *result = db_ask(db, &try_lock, NULL, QUESTION_MS);
        bool locked = result && strcmp(db_value(result, 0, 0), "t") == 0;

        if (!result)
            return say_error(db, "ask whether another spoorctl schema is at work");
        db_result_free(result);
        if (locked)
            return true;
        if (first)
            printf("another spoorctl schema is at work; waiting for its end\n");
        fflush(stdout);
        if (clock_monotonic_ms() > until_ms) {
            fprintf(stderr, "spoorctl: another spoorctl schema is still at work\n");
            return false;
        }
        sleep(1);
    }
}

static bool migrate(struct db *db, bool may_install)
{
    struct dirent **entry = NULL;
    struct schema_state state;
    bool good;
    int count;

    if (!lock(db) || !read_state(db, &state))
        return false;
    if (state.version == 0 && !may_install) {
        fprintf(stderr, "spoorctl: the database has no Spoor schema; run spoorctl schema install\n");
        return false;
    }
    count = scandir(folder(), &entry, is_migration, alphasort);
    if (count <= 0) {
        errno = count ? errno : ENOENT;
        fprintf(stderr, "spoorctl: no migrations NNN-*.sql in %s: %m\n", folder());
        free(entry);
        return false;
    }
    good = apply_missing(db, entry, count, state.version) && forget_again(db);
    while (count)
        free(entry[--count]);
    free(entry);
    return good;
}

static bool show_version(struct db *db)
{
    struct schema_state state;

    if (!read_state(db, &state))
        return false;
    if (state.version == 0)
        printf("no schema is installed\n");
    else
        printf("version %d, for programs made for %d or newer\n", state.version, state.compatible_from);
    return state.version != 0;
}

/* servers */

/* A connection to it that stands, or NULL with the reason said. */
static struct db *reach(const struct conf *conf, unsigned shard)
{
    struct db *db = db_new(shard_database(conf, shard), "spoorctl");
    char name[SHARD_NAME_BYTES];

    if (db && db_connect(db, CONNECT_MS))
        return db;
    fprintf(stderr, "spoorctl: cannot reach %s: %s\n", shard_name(shard, name), db ? db_error(db) : "no memory");
    db_free(db);
    return NULL;
}

static void name_server(const struct conf *conf, unsigned shard)
{
    char name[SHARD_NAME_BYTES];

    if (conf->shards.count)
        printf("%s:\n", shard_name(shard, name));
    fflush(stdout);
}

/* Another one takes what the first publishes, so it has the new columns before that. */
static bool migrate_other(const struct conf *conf, unsigned shard, bool may_install)
{
    struct db *other = reach(conf, shard);
    bool good;

    name_server(conf, shard);
    good = other && migrate(other, may_install);
    db_free(other);
    return good;
}

static bool join_other(const struct conf *conf, struct db *first, unsigned shard)
{
    struct db *other = reach(conf, shard);
    bool good = other && schema_shards_join(conf, first, other, shard) && schema_shards_reach(conf, first, shard);
    char name[SHARD_NAME_BYTES];

    if (good)
        printf("%s has its copies of what the first server tells\n", shard_name(shard, name));
    db_free(other);
    return good;
}

/* ONLY: that server alone, or ALL_SHARDS. */
static bool install(const struct conf *conf, bool may_install, unsigned only)
{
    struct db *first = reach(conf, 0);
    bool good = first != NULL;

    for (unsigned shard = 1; good && shard < SHARDS; shard++)
        if (shard_database(conf, shard) && (only == ALL_SHARDS || only == shard))
            good = migrate_other(conf, shard, may_install);
    if (good && (only == ALL_SHARDS || only == 0)) {
        name_server(conf, 0);
        good = (!conf->shards.count || schema_shards_hide(first)) && migrate(first, may_install);
    }
    for (unsigned shard = 1; good && shard < SHARDS; shard++)
        if (shard_database(conf, shard) && (only == ALL_SHARDS || only == shard))
            good = join_other(conf, first, shard);
    if (good && conf->shards.count)
        good = schema_shards_show(first);
    db_free(first);
    return good;
}

static bool show_versions(const struct conf *conf, unsigned only)
{
    bool good = true;

    for (unsigned shard = 0; shard < SHARDS; shard++) {
        struct db *db;

        if (!shard_database(conf, shard) || (only != ALL_SHARDS && only != shard))
            continue;
        name_server(conf, shard);
        db = reach(conf, shard);
        good &= db && show_version(db);
        db_free(db);
    }
    return good;
}

/* "--shard N" at the end; ALL_SHARDS without. False when it names none. */
static bool take_shard(const struct conf *conf, int *argc, char **argv, unsigned *shard)
{
    const char *number;

    *shard = ALL_SHARDS;
    if (*argc < 4 || strcmp(argv[*argc - 2], "--shard") != 0)
        return true;
    number = argv[*argc - 1];
    *argc -= 2;
    *shard = (unsigned)(number[0] - '0');
    if (number[0] >= '0' && *shard < SHARDS && number[1] == '\0' && shard_database(conf, *shard))
        return true;
    fprintf(stderr, "spoorctl: %s: shards does not name %s\n", conf->path, number);
    return false;
}

int schema_command(const struct conf *conf, int argc, char **argv)
{
    const char *verb;
    bool installs, upgrades;
    unsigned only;

    if (!take_shard(conf, &argc, argv, &only))
        return EXIT_FAILURE;
    verb = argc == 2 ? argv[1] : "";
    installs = strcmp(verb, "install") == 0;
    upgrades = strcmp(verb, "upgrade") == 0;
    if (!installs && !upgrades && strcmp(verb, "version") != 0)
        return COMMAND_USAGE;
    return (installs || upgrades ? install(conf, installs, only) : show_versions(conf, only)) ? EXIT_SUCCESS : EXIT_FAILURE;
}
