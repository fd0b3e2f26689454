/* SPDX-License-Identifier: BSD-2-Clause */
/* store_rules - see store_rules.h */

#include "common/store_rules.h"

#include "common/store_cargo.h"

#include <stdio.h>

enum { NUMBER_TEXT = 24 };

static const struct db_statement read_agent_rules = {
    "read_agent_rules",
    "select concat_ws(e'\\t', 'agent', number, kind, coalesce(field, ''), test, pattern, coalesce(network, ''),"
    "  coalesce((extract(epoch from younger_than) * 1000)::bigint::text, ''), coalesce(verdict, ''), reason)"
    " from spoor.agent_rule order by number", 0};

/* Of one network in several sources only one row: what the administrator wrote, if it is there. */
static const struct db_statement read_network_rules = {
    "read_network_rules",
    "select concat_ws(e'\\t', 'network', kind, coalesce((extract(epoch from younger_than) * 1000)::bigint::text, ''),"
    "  coalesce(verdict, ''), reason, string_agg(network::text, ' ' order by network))"
    " from (select distinct on (network) * from spoor.network_rule order by network, source <> 'local', source) one"
    " group by kind, younger_than, verdict, reason order by reason, verdict, kind, younger_than", 0};

static const struct db_statement judge_hindsight = {"judge_hindsight", "select spoor.judge_hindsight($1)", 1};

static const struct db_statement find_unjudged = {
    "find_unjudged",
    "select spool, record, target from spoor.unjudged_hit"
    " where spoor.token_key(target) = any (('{' || $1 || '}')::integer[]) order by spool, record limit $2", 2};

static const struct db_statement judge_hit = {
    "judge_hit", "select spoor.judge_hit($1, $2, $3, $4, $5, $6, $7)", 7};

enum store_answer store_listen_rules(struct db *db, int deadline_ms)
{
    return db_execute(db, "listen spoor_rules", deadline_ms) ? STORE_YES : STORE_AWAY;
}

enum store_answer store_read_rules(struct db *db, struct buf *text, int deadline_ms)
{
    if (!store_add_lines(db, &read_agent_rules, text, deadline_ms) || !store_add_lines(db, &read_network_rules, text, deadline_ms))
        return STORE_AWAY;
    return text->failed ? STORE_NO : STORE_YES;
}

enum store_answer store_judge_hindsight(struct db *db, int most, int64_t *judged, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result;

    snprintf(text, sizeof text, "%d", most);
    result = db_ask(db, &judge_hindsight, (const char *const[]){text}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    *judged = db_integer(result, 0, 0);
    db_result_free(result);
    return STORE_YES;
}

enum store_answer store_find_unjudged(struct db *db, const char *keys, int most,
                                      void (*found)(void *arg, const struct store_unjudged *hit), void *arg, int deadline_ms)
{
    char text[NUMBER_TEXT];
    struct db_result *result;
    size_t rows;

    snprintf(text, sizeof text, "%d", most);
    result = db_ask(db, &find_unjudged, (const char *const[]){keys, text}, deadline_ms);
    if (!result)
        return STORE_AWAY;
    rows = db_rows(result);
    for (size_t row = 0; row < rows; row++) {
        struct store_unjudged hit = {(int32_t)db_integer(result, row, 0), db_integer(result, row, 1),
                                     db_value(result, row, 2)};

        found(arg, &hit);
    }
    db_result_free(result);
    return rows ? STORE_YES : STORE_NO;
}

enum store_answer store_judge_hit(struct db *db, int32_t spool, int64_t record, const struct token *token, int deadline_ms)
{
    char text[5][NUMBER_TEXT];
    char kind[] = {hit_kind_letter(token && token->kind == TOKEN_CLICK ? HIT_CLICK : HIT_VIEW), '\0'};
    const char *const values[] = {text[0], text[1], token ? "t" : "f", text[2], text[3], text[4], kind};
    struct db_result *result;

    snprintf(text[0], NUMBER_TEXT, "%d", spool);
    snprintf(text[1], NUMBER_TEXT, "%lld", (long long)record);
    snprintf(text[2], NUMBER_TEXT, "%lld", token ? (long long)token->message : 0);
    snprintf(text[3], NUMBER_TEXT, "%d", token ? (int32_t)token->recipient : 0);
    snprintf(text[4], NUMBER_TEXT, "%d", token ? (int16_t)token->index : 0);
    result = db_ask(db, &judge_hit, values, deadline_ms);
    db_result_free(result);
    return result ? STORE_YES : STORE_AWAY;
}
