/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postgres - for tests that need a server: each runs itself again beside one of its own (see with-postgres).
 */
#ifndef TESTS_POSTGRES_H
#define TESTS_POSTGRES_H

#include "ctl/schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* First line of main(). */
static inline void postgres_begin(char **argv)
{
    const char *top = getenv("top_srcdir");
    char script[4096];

    if (getenv("SPOOR_TEST_DATABASE"))
        return;
    snprintf(script, sizeof script, "%s/tests/unit/with-postgres", top ? top : ".");
    execl("/bin/sh", "sh", script, argv[0], (char *)NULL);
    perror(script);
    exit(99);
}

/* ACTION is --start or --stop. */
static inline int postgres_switch(const char *action)
{
    char command[4096];

    snprintf(command, sizeof command, "sh '%s' %s '%s'", getenv("SPOOR_TEST_POSTGRES"), action, getenv("SPOOR_TEST_FOLDER"));
    return system(command);
}

/* conninfo of a role */
static inline const char *postgres_as(const char *role)
{
    static char conninfo[4096];

    snprintf(conninfo, sizeof conninfo, "host=%s user=%s dbname=postgres", getenv("SPOOR_TEST_FOLDER"), role);
    return conninfo;
}

static inline int postgres_schema(const char *verb)
{
    char sql[4096];
    char database[4096];
    struct conf conf = {.database = database};
    char *argv[] = {"schema", (char *)(uintptr_t)verb, NULL};

    snprintf(database, sizeof database, "%s", getenv("SPOOR_TEST_DATABASE"));
    snprintf(sql, sizeof sql, "%s/sql", getenv("top_srcdir") ? getenv("top_srcdir") : ".");
    setenv("SPOOR_SQL_DIR", sql, 1);
    return schema_command(&conf, 2, argv);
}

#endif
