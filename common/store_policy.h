/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_policy - the part of the store that spoor-stamp reads policy by.
 *
 * As store.h for answers, deadlines and threads.
 */
#ifndef COMMON_STORE_POLICY_H
#define COMMON_STORE_POLICY_H

#include "common/store.h"

/* From now on db_wait_notification() tells of changed policy. */
enum store_answer store_listen_policy(struct db *db, int deadline_ms);
/* All of it as the text that policy.h describes. NO: it is more than TEXT takes. */
enum store_answer store_read_policy(struct db *db, struct buf *text, int deadline_ms);

#endif
