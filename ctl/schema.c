/* SPDX-License-Identifier: BSD-2-Clause */
/* schema - see schema.h */

#include "ctl/schema.h"

#include "common/db.h"
#include "ctl/sql_script.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum {
    CONNECT_MS = 10000,
    QUESTION_MS = 30000,
    LOCK_MS = 30 * 60 * 1000,      /* the other one may be building an index */
    MIGRATION_MS = 6 * 3600 * 1000,
    SCRIPT_MAX = 4 * 1024 * 1024,
    NUMBER_DIGITS = 3
};

static const struct db_statement is_installed = {
    "is_installed", "select to_regclass('spoor.schema') is not null", 0};
static const struct db_statement read_version = {
    "read_version", "select version, compatible_from from spoor.schema", 0};
static const struct db_statement set_version = {
    "set_version",
    "update spoor.schema set version = $1, compatible_from = case when $2 > 0 then $2 else compatible_from end,"
    " updated_at = now()", 2};

struct schema_state {
    int version; /* 0: nothing is installed */
    int compatible_from;
};

static bool say_error(struct db *db, const char *doing)
{
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

/* The number of a file NNN-*.sql, 0 for any other. */
static int number_of(const char *name)
{
    size_t len = strlen(name);
    int number = 0;

    for (size_t at = 0; at < NUMBER_DIGITS; at++) {
        if (!ascii_is_digit(name[at]))
            return 0;
        number = number * 10 + (name[at] - '0');
    }
    return name[NUMBER_DIGITS] == '-' && strcmp(name + len - 4, ".sql") == 0 ? number : 0;
}

static int is_migration(const struct dirent *entry)
{
    return number_of(entry->d_name) > 0;
}

static bool read_file(const char *name, struct buf *script)
{
    struct buf path;
    char chunk[16384];
    FILE *file;
    size_t got;
    bool good;

    buf_init(&path, 4096);
    buf_add_f(&path, "%s/%s", folder(), name);
    file = fopen(buf_text(&path), "r");
    buf_free(&path);
    if (!file) {
        fprintf(stderr, "spoorctl: cannot read %s/%s: %m\n", folder(), name);
        return false;
    }
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(script, chunk, got);
    good = !ferror(file) && !script->failed;
    fclose(file);
    if (!good)
        fprintf(stderr, "spoorctl: cannot read %s/%s\n", folder(), name);
    return good;
}

/* one migration */

static bool note_version(struct db *db, int version, const struct sql_marks *marks)
{
    char text[2][16];
    struct db_result *result;

    snprintf(text[0], sizeof text[0], "%d", version);
    snprintf(text[1], sizeof text[1], "%d", marks->compatible_from);
    result = db_ask(db, &set_version, (const char *const[]){text[0], text[1]}, QUESTION_MS);
    db_result_free(result);
    return result != NULL;
}

static bool run_in_transaction(struct db *db, const struct buf *script, int version, const struct sql_marks *marks)
{
    return db_execute(db, "begin", QUESTION_MS) && db_execute(db, buf_text(script), MIGRATION_MS)
           && note_version(db, version, marks) && db_execute(db, "commit", QUESTION_MS);
}

/* Such a script may have been run in part before, so its statements must bear being run again. */
static bool run_by_statement(struct db *db, const struct buf *script, int version, const struct sql_marks *marks)
{
    struct slice rest = buf_slice(script);
    struct slice statement;
    bool good = true;

    while (good && sql_script_next(&rest, &statement)) {
        char *text = strndup(statement.p, statement.len);

        good = text && db_execute(db, text, MIGRATION_MS);
        free(text);
    }
    return good && note_version(db, version, marks);
}

static bool apply(struct db *db, const char *name)
{
    struct sql_marks marks;
    struct buf script;
    bool good;

    buf_init(&script, SCRIPT_MAX);
    good = read_file(name, &script);
    if (good) {
        marks = sql_script_marks(buf_slice(&script));
        good = marks.outside_transaction ? run_by_statement(db, &script, number_of(name), &marks)
                                         : run_in_transaction(db, &script, number_of(name), &marks);
        if (good)
            printf("%s applied\n", name);
        else
            fprintf(stderr, "spoorctl: %s/%s: %s\n", folder(), name, db_error(db));
        fflush(stdout);
    }
    buf_free(&script);
    return good;
}

/* all that are missing */

static bool apply_missing(struct db *db, struct dirent **entry, int count, int version)
{
    int last = count ? number_of(entry[count - 1]->d_name) : 0;

    if (last < version) {
        fprintf(stderr, "spoorctl: the database has schema %d, but %s ends at %d: a newer Spoor has been here\n", version,
                folder(), last);
        return false;
    }
    for (int at = 0; at < count; at++) {
        int number = number_of(entry[at]->d_name);

        if (number <= version)
            continue;
        if (number != version + 1) {
            fprintf(stderr, "spoorctl: %s/%s: migration %d is missing before it or is there twice\n", folder(),
                    entry[at]->d_name, version + 1);
            return false;
        }
        if (!apply(db, entry[at]->d_name))
            return false;
        version = number;
    }
    printf("the schema is at version %d\n", version);
    return true;
}

/* A database that was restored from a backup may hold people again who are forgotten. */
static bool forget_again(struct db *db)
{
    static const struct db_statement apply_forgotten = {"apply_forgotten", "select spoor.apply_forgotten()", 0};
    struct db_result *result = db_ask(db, &apply_forgotten, NULL, MIGRATION_MS);

    if (!result)
        return say_error(db, "delete again who is forgotten");
    if (db_integer(result, 0, 0))
        printf("%lld who are forgotten were there again, and are deleted\n", (long long)db_integer(result, 0, 0));
    db_result_free(result);
    return true;
}

static bool migrate(struct db *db, bool may_install)
{
    struct dirent **entry = NULL;
    struct schema_state state;
    bool good;
    int count;

    /* gone with the connection */
    if (!db_execute(db, "select pg_advisory_lock(hashtext('spoor.schema'))", LOCK_MS))
        return say_error(db, "wait for another spoorctl schema");
    if (!read_state(db, &state))
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

int schema_command(const struct conf *conf, int argc, char **argv)
{
    const char *verb = argc == 2 ? argv[1] : "";
    bool install = strcmp(verb, "install") == 0;
    bool upgrade = strcmp(verb, "upgrade") == 0;
    struct db *db;
    bool good;

    if (!install && !upgrade && strcmp(verb, "version") != 0) {
        fprintf(stderr, "usage: spoorctl schema install | upgrade | version\n");
        return EX_USAGE;
    }
    db = db_new(conf->database, "spoorctl");
    if (!db) {
        fprintf(stderr, "spoorctl: no memory\n");
        return EXIT_FAILURE;
    }
    if (!db_connect(db, CONNECT_MS))
        good = say_error(db, "reach the database");
    else
        good = install || upgrade ? migrate(db, install) : show_version(db);
    db_free(db);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
