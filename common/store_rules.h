/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_rules - the part of the store that verdicts need: rules, hindsight, hits whose key came later.
 *
 * As store.h for answers, deadlines and threads.
 */
#ifndef COMMON_STORE_RULES_H
#define COMMON_STORE_RULES_H

#include "common/store.h"
#include "common/token.h"

/* From now on db_wait_notification() tells of changed rules. */
enum store_answer store_listen_rules(struct db *db, int deadline_ms);
/* All rules as the text that pixeld/rules.h describes. NO: they are more than TEXT takes. */
enum store_answer store_read_rules(struct db *db, struct buf *text, int deadline_ms);

/* Looks once more at about MOST new records; *JUDGED is how many verdicts changed. */
enum store_answer store_judge_hindsight(struct db *db, int most, int64_t *judged, int deadline_ms);

/*
 * Hits that wait for one of the keys whose numbers KEYS lists, "1,2,7". FOUND is called for each, at most MOST times, with
 * its place and its request target. NO: there is none.
 */
struct store_unjudged {
    int32_t spool;
    int64_t record;
    const char *target; /* valid in the call */
};
enum store_answer store_find_unjudged(struct db *db, const char *keys, int most,
                                      void (*found)(void *arg, const struct store_unjudged *hit), void *arg, int deadline_ms);
/* TOKEN has been verified: the hit becomes an event. NULL: its signature is wrong, the hit goes. */
enum store_answer store_judge_hit(struct db *db, int32_t spool, int64_t record, const struct token *token, int deadline_ms);

#endif
