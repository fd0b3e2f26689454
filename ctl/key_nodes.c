/* SPDX-License-Identifier: BSD-2-Clause */
/* key_nodes - see key_nodes.h */

#include "ctl/key_nodes.h"

#include "common/hex.h"

#include <stdio.h>
#include <string.h>

enum { ASK_MS = 5000, NUMBER_TEXT = 12 };

static const struct db_statement find_holders = {
    "find_key_holders",
    "select spool, program, host, to_char(last_seen at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'), held"
    " from spoor.key_holders($1, decode($2, 'hex'))", 2};

static const struct db_statement find_used = {"find_used_keys", "select distinct key from spoor.used_key", 0};

static bool verifies(const char *held)
{
    for (int state = KEY_VERIFIES; state <= KEY_RETIRED; state++)
        if (strcmp(held, key_state_name((enum key_state)state)) == 0)
            return true;
    return false;
}

bool key_nodes_each(struct db *db, struct keys *keys, uint8_t id,
                    void (*holder)(void *arg, const struct key_holder *holder), void *arg)
{
    uint8_t fingerprint[KEYS_FINGERPRINT_BYTES] = {0};
    char hex[2 * KEYS_FINGERPRINT_BYTES + 1], number[NUMBER_TEXT];
    struct db_result *result;

    keys_fingerprint(keys, id, fingerprint); /* without memory it is nobody's */
    hex_write(fingerprint, sizeof fingerprint, hex);
    snprintf(number, sizeof number, "%u", id);
    result = db_ask(db, &find_holders, (const char *const[]){number, hex}, ASK_MS);
    for (size_t row = 0; result && row < db_rows(result); row++) {
        struct key_holder found = {
            .spool = db_value(result, row, 0),
            .program = db_value(result, row, 1),
            .host = db_value(result, row, 2),
            .last_seen = db_value(result, row, 3),
            .held = db_value(result, row, 4),
        };

        found.holds = verifies(found.held);
        holder(arg, &found);
    }
    db_result_free(result);
    return result != NULL;
}

bool key_nodes_used(struct db *db, bool *used)
{
    struct db_result *result = db_ask(db, &find_used, NULL, ASK_MS);

    for (size_t row = 0; result && row < db_rows(result); row++)
        used[(uint8_t)db_integer(result, row, 0)] = true;
    db_result_free(result);
    return result != NULL;
}
