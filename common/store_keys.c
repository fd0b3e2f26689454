/* SPDX-License-Identifier: BSD-2-Clause */
/* store_keys - see store_keys.h */

#include "common/store_keys.h"

#include <inttypes.h>
#include <stdio.h>

enum { NUMBER_TEXT = 24 };

static const struct db_statement report_keys = {
    "report_keys", "select spoor.report_keys($1, $2::smallint[], $3::text[], $4::bytea[])", 4};
static const struct db_statement link_leads_to = {"link_leads_to",
                                                  "select spoor.link_leads_to($1, $2, $3)::integer", 3};

enum store_answer store_report_keys(struct db *db, int32_t spool, const struct store_key_list *list,
                                    int deadline_ms)
{
    char number[NUMBER_TEXT];
    struct db_result *result;

    snprintf(number, sizeof number, "%" PRId32, spool);
    result = db_ask(db, &report_keys,
                    (const char *const[]){number, list->ids, list->states, list->fingerprints}, deadline_ms);
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}

enum store_answer store_link_leads_to(struct db *db, uint64_t message, uint16_t number,
                                      const char *destination, int deadline_ms)
{
    char text[2][NUMBER_TEXT];
    struct db_result *result;
    bool leads;

    snprintf(text[0], NUMBER_TEXT, "%" PRId64, (int64_t)message);
    snprintf(text[1], NUMBER_TEXT, "%d", (int16_t)number);
    result = db_ask(db, &link_leads_to, (const char *const[]){text[0], text[1], destination}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    leads = db_integer(result, 0, 0) == 1;
    db_result_free(result);
    return leads ? STORE_YES : STORE_NO;
}
