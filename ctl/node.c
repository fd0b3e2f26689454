/* SPDX-License-Identifier: BSD-2-Clause */
/* node - spoorctl node list | retire: the programs that the database knows by their spools. */

#include "common/db.h"
#include "ctl/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_MS = 5000, SPOOL_MOST = 32767 };

static const struct db_statement list_nodes = {
    "list_nodes",
    "select spool, node, program, host, to_char(last_seen at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), position,"
    " to_char(retired_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') from spoor.node_report", 0};

static const struct db_statement retire_spool = {"retire_spool", "select spoor.retire_spool($1)", 1};

/* The columns of list_nodes. */
static const char *const keys[] = {"spool", "node", "program", "host", "last_seen", "position", "retired"};

static void print_node(const struct db_result *result, size_t row)
{
    const char *gap = "";

    for (int column = 0; column < (int)(sizeof keys / sizeof *keys); column++) {
        const char *value = db_value(result, row, column);

        if (value == NULL)
            continue;
        printf("%s%s=%s", gap, keys[column], value);
        gap = " ";
    }
    putchar('\n');
}

static bool list(struct db *db)
{
    struct db_result *result = db_ask(db, &list_nodes, NULL, ASK_MS);
    bool answered = result != NULL;

    for (size_t row = 0; answered && row < db_rows(result); row++)
        print_node(result, row);
    if (!answered)
        fprintf(stderr, "spoorctl: %s\n", db_error(db));
    db_result_free(result);
    return answered;
}

static bool retire(struct db *db, const char *number)
{
    struct db_result *result = db_ask(db, &retire_spool, &number, ASK_MS);
    bool known = result && strcmp(db_value(result, 0, 0), "t") == 0;

    if (result == NULL)
        fprintf(stderr, "spoorctl: %s\n", db_error(db));
    else if (!known)
        fprintf(stderr, "spoorctl: there is no spool %s; spoorctl node list tells which there are\n", number);
    db_result_free(result);
    return known;
}

static bool is_spool_number(const char *text)
{
    char *end;
    long number;

    errno = 0;
    number = strtol(text, &end, 10);
    return errno == 0 && end > text && *end == '\0' && number >= 1 && number <= SPOOL_MOST;
}

int node_command(const struct conf *conf, int argc, char **argv)
{
    bool listing = argc == 2 && strcmp(argv[1], "list") == 0;
    bool retiring = argc == 3 && strcmp(argv[1], "retire") == 0 && is_spool_number(argv[2]);
    struct db *db;
    bool done;

    if (!listing && !retiring)
        return COMMAND_USAGE;
    db = db_new(conf->database, "spoorctl");
    done = db && db_connect(db, ASK_MS);
    if (!done)
        fprintf(stderr, "spoorctl: %s\n", db ? db_error(db) : "out of memory");
    else
        done = listing ? list(db) : retire(db, argv[2]);
    db_free(db);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
