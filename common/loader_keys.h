/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * loader_keys - tells the database which keys the program of a spool holds, so that spoorctl knows when a new
 * one may sign. For loader.c alone.
 *
 * In each session once, and again when the keys were loaded again or the spool has another number.
 */
#ifndef COMMON_LOADER_KEYS_H
#define COMMON_LOADER_KEYS_H

#include "common/keys.h"
#include "common/store.h"

struct loader_keys {
    struct keys *keys; /* NULL: the program has none */
    bool told;         /* in this session, and what: */
    unsigned generation;
    int32_t spool;
};

/*
 * Asks nothing while all is told. False when the connection broke, so that the session begins anew. A
 * database that does not take it is no reason to load no records: that is logged.
 */
bool loader_keys_tell(struct loader_keys *told, struct db *db, int32_t spool, int deadline_ms);

#endif
