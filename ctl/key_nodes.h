/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * key_nodes - what the database knows of who has which key.
 *
 * The programs tell it themselves: see common/loader_keys.h. One that is not retired counts.
 */
#ifndef CTL_KEY_NODES_H
#define CTL_KEY_NODES_H

#include "common/db.h"
#include "common/keys.h"

/* One program on a host. The texts are valid in the call. */
struct key_holder {
    const char *spool;
    const char *program;
    const char *host;
    const char *last_seen; /* 2026-11-30T12:00:00Z */
    const char
        *held;  /* the state of the key there; or `no`, `other` or `unreported`, see spoor.key_holders() */
    bool holds; /* verifies with it */
};

/* Calls HOLDER for each program that counts and has keys. False when the database did not answer: db_error().
 */
bool key_nodes_each(struct db *db, struct keys *keys, uint8_t id,
                    void (*holder)(void *arg, const struct key_holder *holder), void *arg);

/* Marks in USED, of KEY_IDS places, the ids that some program ever had. */
bool key_nodes_used(struct db *db, bool *used);

#endif
