/* SPDX-License-Identifier: BSD-2-Clause */
/* node - spoorctl node list | retire: the programs that the database knows by their spools. */

#include "common/db.h"
#include "common/shard.h"
#include "common/store.h"
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

static void print_node(const struct db_result *result, size_t row, unsigned shard)
{
    const char *gap = "";

    if (shard)
        printf("shard=%u ", shard);

    for (int column = 0; column < (int)(sizeof keys / sizeof *keys); column++) {
        const char *value = db_value(result, row, column);

        if (value == NULL)
            continue;
        printf("%s%s=%s", gap, keys[column], value);
        gap = " ";
    }
    putchar('\n');
}

static bool list(struct db *db, unsigned shard)
{
    struct db_result *result = db_ask(db, &list_nodes, NULL, ASK_MS);
    bool answered = result != NULL;

    for (size_t row = 0; answered && row < db_rows(result); row++)
        print_node(result, row, shard);
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

/* "5" of the first server, "1:5" of shard 1. NULL when it is neither. */
static const char *spool_number(const char *text, unsigned *shard)
{
    bool sharded = text[0] >= '1' && text[0] < '0' + SHARDS && text[1] == ':';
    const char *number = sharded ? text + 2 : text;
    char *end;
    long value;

    *shard = sharded ? (unsigned)(text[0] - '0') : 0;
    errno = 0;
    value = strtol(number, &end, 10);
    return errno == 0 && end > number && *end == '\0' && value >= 1 && value <= SPOOL_MOST ? number : NULL;
}

/* Lists the spools that one server knows, or retires NUMBER there when that is not NULL. */
static bool ask_server(const struct conf *conf, unsigned shard, const char *number)
{
    const char *conninfo = shard_database(conf, shard);
    struct db *db = conninfo ? db_new_shard(conninfo, shard, "spoorctl") : NULL;
    bool done = db && store_connect(db, ASK_MS);
    char name[SHARD_NAME_BYTES];

    if (!conninfo)
        fprintf(stderr, "spoorctl: %s: shards does not name %u\n", conf->path, shard);
    else if (!done)
        fprintf(stderr, "spoorctl: %s: %s\n", shard_name(shard, name), db ? db_error(db) : "out of memory");
    else
        done = number ? retire(db, number) : list(db, shard);
    db_free(db);
    return done;
}

int node_command(const struct conf *conf, int argc, char **argv)
{
    bool listing = argc == 2 && strcmp(argv[1], "list") == 0;
    const char *number = NULL;
    unsigned shard = 0;
    bool done = true;

    if (argc == 3 && strcmp(argv[1], "retire") == 0) {
        number = spool_number(argv[2], &shard);
        if (!number)
            fprintf(stderr, "spoorctl: \"%s\" is no spool, which is a number from 1 to %d, of another server SHARD:NUMBER\n",
                    argv[2], SPOOL_MOST);
    }
    if (!listing && !number)
        return COMMAND_USAGE;
    if (number)
        return ask_server(conf, shard, number) ? COMMAND_DONE : COMMAND_FAILED;
    for (shard = 0; shard < SHARDS; shard++)
        if (shard_database(conf, shard))
            done &= ask_server(conf, shard, NULL);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
