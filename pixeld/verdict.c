/* SPDX-License-Identifier: BSD-2-Clause */
#include "pixeld/verdict.h"

/* What the rows look at. */
struct facts {
    const struct rules_question *question;
    struct rules_answer rules;
};

enum { EARLY_MS = 60 * 1000 };

static bool any(const struct facts *facts)
{
    return facts != NULL;
}

static bool is_decoy(const struct facts *facts)
{
    return facts->question->decoy;
}

static bool is_head(const struct facts *facts)
{
    return facts->question->request->method == REQUEST_HEAD;
}

static bool is_known(const struct facts *facts)
{
    return facts->rules.judged;
}

/* Fetch Metadata: browsers send these when a person follows a link, and programs that imitate them rarely
 * do. */
static bool is_navigation(const struct facts *facts)
{
    const struct slice *field = facts->question->request->field;

    return facts->question->kind == HIT_CLICK && slice_is_i(field[REQUEST_SEC_FETCH_MODE], "navigate") &&
           slice_is(field[REQUEST_SEC_FETCH_USER], "?1") && !slice_empty(field[REQUEST_ACCEPT_LANGUAGE]);
}

static bool has_no_agent(const struct facts *facts)
{
    return slice_empty(slice_trim(facts->question->request->field[REQUEST_USER_AGENT]));
}

static bool is_person_view(const struct facts *facts)
{
    return facts->question->kind == HIT_VIEW && facts->rules.person;
}

static bool is_early_person_view(const struct facts *facts)
{
    return is_person_view(facts) && rules_younger(facts->question->age_ms, EARLY_MS);
}

struct row {
    bool (*matches)(const struct facts *facts);
    struct verdict verdict; /* without a reason: as the rules say */
};

static const struct row rows[] = {
    {is_decoy, {VERDICT_BOT, SLICE_TEXT("decoy")}},
    {is_head, {VERDICT_BOT, SLICE_TEXT("head")}},
    {is_known, {VERDICT_UNKNOWN, {NULL, 0}}},
    {is_navigation, {VERDICT_HUMAN, SLICE_TEXT("navigation")}},
    /* A person more than 60 s after delivery, which only hindsight knows. */
    {is_early_person_view, {VERDICT_UNKNOWN, SLICE_TEXT("browser_early")}},
    {is_person_view, {VERDICT_UNKNOWN, SLICE_TEXT("browser")}},
    {has_no_agent, {VERDICT_UNKNOWN, SLICE_TEXT("agent_empty")}},
    {any, {VERDICT_UNKNOWN, SLICE_TEXT("none")}},
};

struct verdict verdict_of(const struct rules *rules, const struct rules_question *question)
{
    struct facts facts = {.question = question, .rules = rules_ask(rules, question)};
    size_t n = 0;

    while (!rows[n].matches(&facts))
        n++;
    if (rows[n].verdict.reason.len)
        return rows[n].verdict;
    return (struct verdict){facts.rules.verdict, facts.rules.reason};
}
