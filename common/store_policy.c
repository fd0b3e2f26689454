/* SPDX-License-Identifier: BSD-2-Clause */
/* store_policy - see store_policy.h */

#include "common/store_policy.h"

static const struct db_statement read_policy = {"read_policy", "select spoor.policy_lines()", 0};

enum store_answer store_listen_policy(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_policy", deadline_ms) ? STORE_YES : STORE_AWAY;
}

enum store_answer store_read_policy(struct db *db, struct buf *text, int deadline_ms)
{
    if (!store_add_lines(db, &read_policy, text, deadline_ms))
        return STORE_AWAY;
    return text->failed ? STORE_NO : STORE_YES;
}
