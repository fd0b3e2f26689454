/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clerk - the thread of spoor-pixeld that asks the database, so that no other waits for it.
 *
 * It brings the rules, again whenever they change, and keeps them beside the spool. Every few seconds it has the database
 * judge in hindsight, and hands in hits whose key has come. Logs what an administrator must know.
 */
#ifndef PIXELD_CLERK_H
#define PIXELD_CLERK_H

#include "common/keys.h"
#include "pixeld/rulebook.h"

struct clerk;

struct clerk_options {
    unsigned shard; /* of this server; the rules are those of the first */
    const char *conninfo;
    const char *program;
    const char *directory; /* the spool's */
    struct latest *book;
    struct keys *keys; /* both live longer than the clerk */
};

/* The rules to begin with: those kept in DIRECTORY, else the built-in ones. NULL without memory. */
struct rules *clerk_first_rules(const char *directory);

struct clerk *clerk_start(const struct clerk_options *options, struct buf *error);
void clerk_stop(struct clerk *clerk); /* at once; NULL is fine */

#endif
