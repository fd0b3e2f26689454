/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_keys - what the database is told of the keys that a program holds, and asked where one was revoked.
 *
 * As store.h for answers, deadlines and threads.
 */
#ifndef COMMON_STORE_KEYS_H
#define COMMON_STORE_KEYS_H

#include "common/store.h"

/* The keys that the program of this spool holds now, as three arrays of PostgreSQL. */
struct store_key_list {
    const char *ids;
    const char *states;
    const char *fingerprints;
};
enum store_answer store_report_keys(struct db *db, int32_t spool, const struct store_key_list *list,
                                    int deadline_ms);

/* Does link NUMBER of the mail lead to DESTINATION? */
enum store_answer store_link_leads_to(struct db *db, uint64_t message, uint16_t number,
                                      const char *destination, int deadline_ms);

#endif
