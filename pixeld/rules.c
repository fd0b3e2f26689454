/* SPDX-License-Identifier: BSD-2-Clause */
/* rules - see rules.h; the reading of the text is in rules_parse.c */

#include "pixeld/rules_private.h"

#include <stdlib.h>
#include <string.h>

enum { CLOCKS_DIFFER_MS = 60 * 1000, MAPPED_START = 12 };

bool rules_younger(int64_t age_ms, int64_t ms)
{
    return age_ms >= -CLOCKS_DIFFER_MS && age_ms < ms;
}

struct rules *rules_hold(struct rules *rules)
{
    atomic_fetch_add_explicit(&rules->holders, 1, memory_order_relaxed);
    return rules;
}

void rules_let_go(struct rules *rules)
{
    if (!rules || atomic_fetch_sub_explicit(&rules->holders, 1, memory_order_acq_rel) > 1)
        return;
    name_set_free(&rules->words);
    network_map_free(rules->map);
    free(rules->look);
    free(rules->agent);
    free(rules->network);
    free(rules->text);
    free(rules);
}

struct rules_size rules_size(const struct rules *rules)
{
    return (struct rules_size){rules->agents, rules->networks, network_map_ranges(rules->map)};
}

/* tests of one field */

static bool ends(struct slice value, struct slice pattern)
{
    return value.len >= pattern.len && slice_eq_i(slice_from(value, value.len - pattern.len), pattern);
}

static bool contains(struct slice value, struct slice pattern)
{
    for (size_t at = 0; at + pattern.len <= value.len; at++)
        if (slice_starts_i(slice_from(value, at), pattern))
            return true;
    return false;
}

static bool in_word(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* The word that begins at AT or behind it; an empty one at the end. */
static struct slice next_word(struct slice value, size_t at)
{
    size_t end;

    while (at < value.len && !in_word(value.p[at]))
        at++;
    for (end = at; end < value.len && in_word(value.p[end]);)
        end++;
    return slice_of(value.p + at, end - at);
}

static bool has_word_with(struct slice value, struct slice pattern, bool (*fits)(struct slice, struct slice))
{
    struct slice word = next_word(value, 0);

    while (word.len) {
        if (fits(word, pattern))
            return true;
        word = next_word(value, (size_t)(word.p - value.p) + word.len);
    }
    return false;
}

static bool word_begins_at(struct slice value, struct slice pattern)
{
    struct slice word = next_word(value, 0);

    while (word.len) {
        size_t at = (size_t)(word.p - value.p);

        if (slice_starts_i(slice_from(value, at), pattern))
            return true;
        word = next_word(value, at + word.len);
    }
    return false;
}

/* The host of an http or https URL, without port, is the pattern or below it. */
static bool has_host(struct slice value, struct slice pattern)
{
    size_t start = slice_starts_i(value, slice_str("https://")) ? 8 : slice_starts_i(value, slice_str("http://")) ? 7 : 0;
    struct slice host = slice_from(value, start);
    size_t end = 0;

    if (start == 0)
        return false;
    while (end < host.len && !memchr("/:?#", host.p[end], 4))
        end++;
    host.len = end;
    return ends(host, pattern) && (host.len == pattern.len || host.p[host.len - pattern.len - 1] == '.');
}

static bool field_passes(const struct agent_rule *rule, struct slice value)
{
    switch (rule->test) {
    case TEST_IS:
        return slice_eq(value, rule->pattern);
    case TEST_STARTS:
        return slice_starts_i(value, rule->pattern);
    case TEST_ENDS:
        return ends(value, rule->pattern);
    case TEST_CONTAINS:
        return contains(value, rule->pattern);
    case TEST_WORD:
        return word_begins_at(value, rule->pattern);
    case TEST_WORD_END:
        return has_word_with(value, rule->pattern, ends);
    case TEST_HOST:
        return has_host(value, rule->pattern);
    case TEST_EMPTY:
        return slice_empty(value);
    case TEST_PRESENT:
        return !slice_empty(value);
    case TEST_ALWAYS:
        break;
    }
    return true;
}

/* one question */

struct asking {
    const struct rules *rules;
    const struct rules_question *question;
    const struct network_rule *network; /* of the client; NULL: none */
    const struct agent_rule *lowest;    /* found so far */
};

static bool concerns(const struct rule_scope *scope, const struct rules_question *question)
{
    return (scope->kind == 0 || scope->kind == question->kind) &&
           (scope->younger_ms == 0 || rules_younger(question->age_ms, scope->younger_ms));
}

static bool applies(const struct asking *asking, const struct agent_rule *rule)
{
    return concerns(&rule->scope, asking->question) &&
           (rule->network.len == 0 || (asking->network && slice_eq(rule->network, asking->network->reason)));
}

/* Rules stand in the order of their numbers. */
static void consider(struct asking *asking, const struct agent_rule *rule)
{
    if ((!asking->lowest || rule < asking->lowest) && applies(asking, rule))
        asking->lowest = rule;
}

static void consider_number(void *arg, uint32_t number)
{
    struct asking *asking = arg;

    consider(asking, &asking->rules->agent[number]);
}

static struct slice value_of(const struct request *request, enum request_field field)
{
    struct slice value = slice_trim(request->field[field]);

    if (value.len == 0)
        return slice_of("", 0); /* a field that did not come points nowhere */
    return slice_of(value.p, value.len < RULES_VALUE_MAX ? value.len : RULES_VALUE_MAX);
}

static const struct agent_rule *ask_user_agent(const struct rules *rules, const struct asking *so_far)
{
    struct slice value = value_of(so_far->question->request, REQUEST_USER_AGENT);
    struct asking asking = *so_far;

    for (struct slice word = next_word(value, 0); word.len;) {
        size_t at = (size_t)(word.p - value.p);

        name_set_find(&rules->words, slice_from(value, at), consider_number, &asking);
        word = next_word(value, at + word.len);
    }
    for (size_t n = 0; n < rules->agent_looks; n++) {
        const struct agent_rule *rule = &rules->agent[rules->look[n]];

        if (asking.lowest && rule > asking.lowest)
            break;
        if (applies(&asking, rule) && field_passes(rule, value))
            return rule;
    }
    return asking.lowest;
}

/* Most fields that rules ask for do not come, and most tests need one. */
static bool other_field_passes(const struct agent_rule *rule, const struct request *request)
{
    if (rule->test == TEST_ALWAYS)
        return true;
    if (request->field[rule->field].len == 0)
        return rule->test == TEST_EMPTY;
    return field_passes(rule, value_of(request, rule->field));
}

static void ask_other_fields(struct asking *asking)
{
    const struct rules *rules = asking->rules;

    for (size_t n = rules->agent_looks; n < rules->looks; n++) {
        const struct agent_rule *rule = &rules->agent[rules->look[n]];

        if (asking->lowest && rule > asking->lowest)
            return;
        if (applies(asking, rule) && other_field_passes(rule, asking->question->request)) {
            asking->lowest = rule;
            return;
        }
    }
}

static const struct network_rule *network_of(const struct rules *rules, const struct client *client)
{
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
    uint16_t number;

    if (client->address_bytes == 4)
        memcpy(address + MAPPED_START, client->address, 4);
    else if (client->address_bytes == 16)
        memcpy(address, client->address, 16);
    else
        return NULL;
    number = network_map_find(rules->map, address);
    return number ? &rules->network[number - 1] : NULL;
}

struct rules_answer rules_ask(const struct rules *rules, const struct rules_question *question)
{
    struct asking asking = {.rules = rules, .question = question, .network = network_of(rules, question->client)};
    const struct network_rule *network = asking.network;
    struct rules_answer answer = {.judged = false};
    const struct agent_rule *program;

    if (network && network->judged && concerns(&network->scope, question))
        return (struct rules_answer){.judged = true, .verdict = network->verdict, .reason = network->reason};
    program = ask_user_agent(rules, &asking);
    if (program && program->judged)
        asking.lowest = program;
    else
        answer.person = program != NULL;
    ask_other_fields(&asking);
    if (asking.lowest) {
        answer.judged = true;
        answer.verdict = asking.lowest->verdict;
        answer.reason = asking.lowest->reason;
    }
    return answer;
}
