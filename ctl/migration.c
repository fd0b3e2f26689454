/* SPDX-License-Identifier: BSD-2-Clause */
/* migration - see migration.h */

#include "ctl/migration.h"

#include "common/clock.h"
#include "ctl/progress.h"
#include "ctl/sql_script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    QUESTION_MS = 30000,
    MIGRATION_MS = 6 * 3600 * 1000,
    GIVE_UP_MS = 10 * 60 * 1000, /* when a table never becomes free */
    AGAIN_S = 1,
    PATIENT = 5, /* every so many attempts one waits longer */
    SCRIPT_MAX = 4 * 1024 * 1024,
    PATH_TEXT = 4096,
    NUMBER_DIGITS = 3
};

static const char begin[] = "begin; set local lock_timeout = '500ms'";
/* PostgreSQL ends an autovacuum that somebody waits for, but not before deadlock_timeout. */
static const char begin_patiently[] =
    "begin; select set_config('lock_timeout',"
    " (1000 * extract(epoch from current_setting('deadlock_timeout')::interval))::integer + 500 || 'ms', true)";
static const char lock_not_available[] = "55P03";
static const char deadlock_detected[] = "40P01";

static const struct db_statement set_version = {
    "set_version",
    "update spoor.schema set version = $1, compatible_from = case when $2 > 0 then $2 else compatible_from end,"
    " updated_at = now() returning version", 2};

/* What is unfinished has no use, but IF NOT EXISTS would be content with it. One that is just being built is left alone. */
static const char unfinished_indexes[] =
    "select format('drop index concurrently if exists %I.%I', n.nspname, c.relname)"
    " from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid"
    " join pg_catalog.pg_namespace n on n.oid = c.relnamespace"
    " where n.nspname = 'spoor' and not i.indisvalid and c.relkind = 'i'"
    " and not exists (select from pg_catalog.pg_stat_progress_create_index p where p.index_relid = c.oid)";

static const struct db_statement longest_transaction = {
    "longest_transaction",
    "select format('process %s, %s of %s, is in a transaction since %s', pid, coalesce(nullif(application_name, ''), '?'),"
    "  usename, date_trunc('second', xact_start))"
    " from pg_catalog.pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null order by xact_start limit 1", 0};

/* the file */

int migration_number(const char *name)
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

static bool read_file(const char *folder, const char *name, struct buf *script)
{
    char path[PATH_TEXT];
    char chunk[16384];
    FILE *file;
    size_t got;
    bool good;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "r");
    if (!file) {
        fprintf(stderr, "spoorctl: cannot read %s: %m\n", path);
        return false;
    }
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(script, chunk, got);
    good = !ferror(file) && !script->failed;
    fclose(file);
    if (!good)
        fprintf(stderr, "spoorctl: cannot read %s\n", path);
    return good;
}

static bool note_version(struct db *db, int version, const struct sql_marks *marks)
{
    char text[2][16];
    struct db_result *result;
    bool noted;

    snprintf(text[0], sizeof text[0], "%d", version);
    snprintf(text[1], sizeof text[1], "%d", marks->compatible_from);
    result = db_ask(db, &set_version, (const char *const[]){text[0], text[1]}, QUESTION_MS);
    noted = result && db_rows(result) == 1;
    if (result && !noted)
        fprintf(stderr, "spoorctl: spoor.schema has %zu rows, where one row notes the version\n", db_rows(result));
    db_result_free(result);
    return noted;
}

/* in a transaction */

static bool is_held_up(const struct db *db)
{
    return strcmp(db_sqlstate(db), lock_not_available) == 0 || strcmp(db_sqlstate(db), deadlock_detected) == 0;
}

/* Takes back what was done. */
static bool wait_a_little(struct db *db, const char *name, bool say)
{
    struct db_result *result;

    if (!db_execute(db, "rollback", QUESTION_MS))
        return false;
    result = say ? db_ask(db, &longest_transaction, NULL, QUESTION_MS) : NULL;
    progress_clear();
    if (say)
        printf("%s waits for a table that is in use%s%s\n", name, result && db_rows(result) ? ": " : "",
               result && db_rows(result) ? db_value(result, 0, 0) : "");
    fflush(stdout);
    db_result_free(result);
    sleep(AGAIN_S);
    return true;
}

static bool run_in_transaction(struct db *db, const struct buf *script, const char *name, const struct sql_marks *marks)
{
    int64_t until_ms = clock_monotonic_ms() + GIVE_UP_MS;

    for (unsigned attempt = 1;; attempt++) {
        const char *beginning = attempt % PATIENT ? begin : begin_patiently;

        if (db_execute(db, beginning, QUESTION_MS) && db_execute(db, buf_text(script), MIGRATION_MS)
            && note_version(db, migration_number(name), marks) && db_execute(db, "commit", QUESTION_MS))
            return true;
        if (!is_held_up(db) || clock_monotonic_ms() > until_ms || !wait_a_little(db, name, attempt == 1))
            return false;
    }
}

/* outside */

static bool run_each_row(struct db *db, const char *sql)
{
    struct db_result *result = db_read(db, sql, MIGRATION_MS);
    bool good = result != NULL;

    for (size_t row = 0; good && row < db_rows(result); row++) {
        const char *statement = db_value(result, row, 0);

        if (!statement)
            continue;
        progress_clear();
        printf("  %s\n", statement);
        fflush(stdout);
        good = db_execute(db, statement, MIGRATION_MS);
    }
    db_result_free(result);
    return good;
}

static bool run_statement(struct db *db, struct slice statement)
{
    char *text = strndup(statement.p, statement.len);
    bool good = text && (slice_starts_i(statement, slice_str("select")) ? run_each_row(db, text) : db_execute(db, text, MIGRATION_MS));

    free(text);
    return good;
}

static bool run_by_statement(struct db *db, const struct buf *script, const char *name, const struct sql_marks *marks)
{
    struct slice rest = buf_slice(script);
    struct slice statement;
    bool good = db_execute(db, "set lock_timeout = 0", QUESTION_MS) && run_each_row(db, unfinished_indexes);

    while (good && sql_script_next(&rest, &statement))
        good = run_statement(db, statement);
    return good && note_version(db, migration_number(name), marks);
}

bool migration_apply(struct db *db, const char *folder, const char *name)
{
    struct sql_marks marks;
    struct buf script;
    bool good;

    buf_init(&script, SCRIPT_MAX);
    good = read_file(folder, name, &script);
    if (good) {
        marks = sql_script_marks(buf_slice(&script));
        good = marks.outside_transaction ? run_by_statement(db, &script, name, &marks)
                                         : run_in_transaction(db, &script, name, &marks);
        progress_clear();
        if (good)
            printf("%s applied\n", name);
        else
            fprintf(stderr, "spoorctl: %s/%s: %s\n", folder, name, *db_error(db) ? db_error(db) : "it is not applied");
        fflush(stdout);
    }
    buf_free(&script);
    return good;
}
