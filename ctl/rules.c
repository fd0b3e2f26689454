/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - spoorctl rules: long lists of networks into spoor.network_rule.
 *
 * The file is read to its end before the database is asked, so that a bad line stops all; then one transaction replaces
 * what the same source had loaded before.
 */
#include "common/buf.h"
#include "common/db.h"
#include "common/store.h"
#include "common/row_set.h"
#include "ctl/command.h"
#include "ctl/progress.h"
#include "ctl/relay_list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILE_MOST = 256 * 1024 * 1024,
    BAD_LINES_SHOWN = 10,
    ROWS_AT_ONCE = 20000,
    CONNECT_MS = 10000,
    STATEMENT_MS = 120000
};

static const struct db_statement delete_source = {
    "delete_source",
    "with gone as (delete from spoor.network_rule where source = $1 returning 1) select count(*) from gone", 1};

/* A network that stands there twice is one. */
static const struct db_statement insert_networks = {
    "insert_networks",
    "with made as (insert into spoor.network_rule (network, source, reason)"
    " select distinct network, $1, $1 from unnest($2::cidr[]) network on conflict do nothing returning 1)"
    " select count(*) from made", 2};

static bool read_file(const char *path, struct buf *content)
{
    FILE *file = fopen(path, "r");
    char block[64 * 1024];
    size_t got;
    bool good;

    if (!file) {
        fprintf(stderr, "spoorctl: cannot open %s: %s\n", path, strerrordesc_np(errno));
        return false;
    }
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        buf_add(content, block, got);
    good = !ferror(file) && !content->failed;
    if (!good)
        fprintf(stderr, "spoorctl: cannot read %s: %s\n", path, content->failed ? "too long" : strerrordesc_np(errno));
    fclose(file);
    return good;
}

/* How many networks are in it; 0, and said why, when it is not to be loaded. */
static size_t check_list(const char *path, struct slice content)
{
    struct relay_list list = {.rest = content};
    size_t networks = 0, bad = 0;
    enum relay_line line;

    while ((line = relay_list_next(&list)) != RELAY_END) {
        networks += line == RELAY_NETWORK;
        if (line == RELAY_BAD && bad++ < BAD_LINES_SHOWN)
            fprintf(stderr, "spoorctl: %s:%zu: no network and a comma: \"%.*s\"\n", path, list.line,
                    list.text.len < 80 ? (int)list.text.len : 80, list.text.p);
    }
    if (bad)
        fprintf(stderr, "spoorctl: %s: %zu bad lines; nothing was changed\n", path, bad);
    else if (networks == 0)
        fprintf(stderr, "spoorctl: %s: there is no network in it; nothing was changed\n", path);
    return bad ? 0 : networks;
}

/* The number that the statement answers with; -1 when it failed. */
static int64_t ask_number(struct db *db, const struct db_statement *statement, const char *const *values)
{
    struct db_result *result = db_ask(db, statement, values, STATEMENT_MS);
    int64_t number = result ? db_integer(result, 0, 0) : -1;

    db_result_free(result);
    return number;
}

static int64_t insert_rows(struct db *db, const char *source, struct row_set *rows)
{
    const char *values[1 + ROW_COLUMNS_MAX] = {source};
    int64_t made = 0;

    if (rows->rows)
        made = row_set_values(rows, values + 1) ? ask_number(db, &insert_networks, values) : -1;
    row_set_reset(rows);
    return made;
}

static int64_t insert_list(struct db *db, const char *source, struct slice content)
{
    struct relay_list list = {.rest = content};
    int64_t made = 0, more = 0;
    struct row_set rows;

    row_set_init(&rows, 1);
    while (more >= 0 && relay_list_next(&list) == RELAY_NETWORK) {
        row_set_text(&rows, list.text);
        if (rows.rows < ROWS_AT_ONCE)
            continue;
        more = insert_rows(db, source, &rows);
        made += more;
        progress_count(content.len - list.rest.len, content.len);
    }
    if (more >= 0) {
        more = insert_rows(db, source, &rows);
        made += more;
    }
    row_set_free(&rows);
    return more < 0 ? -1 : made;
}

static bool replace_source(struct db *db, const char *source, struct slice content, size_t networks)
{
    int64_t gone = -1, made = -1;
    bool done;

    progress_tell("loading %zu networks", networks);
    done = store_connect(db, CONNECT_MS) && db_execute(db, "begin", STATEMENT_MS);

    if (done)
        gone = ask_number(db, &delete_source, (const char *const[]){source});
    if (gone >= 0)
        made = insert_list(db, source, content);
    done = made >= 0 && db_execute(db, "commit", STATEMENT_MS);
    progress_clear();
    if (done)
        printf("%s: %lld networks loaded, %lld named more than once, %lld removed from before\n", source, (long long)made,
               (long long)networks - (long long)made, (long long)gone);
    else
        fprintf(stderr, "spoorctl: cannot load the networks: %s; nothing was changed\n", db_error(db));
    return done;
}

static int load(const struct conf *conf, const char *source, const char *path)
{
    struct db *db = db_new(conf->database, "spoorctl");
    bool done = false;
    struct buf content;
    size_t networks;

    buf_init(&content, FILE_MOST);
    if (!db)
        fprintf(stderr, "spoorctl: no memory\n");
    else if (read_file(path, &content)) {
        networks = check_list(path, buf_slice(&content));
        done = networks > 0 && replace_source(db, source, buf_slice(&content), networks);
    }
    buf_free(&content);
    db_free(db);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}

int rules_command(const struct conf *conf, int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "load-apple-relay") == 0)
        return load(conf, "apple_relay", argv[2]);
    return COMMAND_USAGE;
}
