/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_parse - the text of rules.h, read; a line that is no rule is named and left out */

#include "pixeld/rules_private.h"

#include "common/buf.h"
#include "common/decimal.h"

#include <stdlib.h>
#include <string.h>

enum { AGENT_COLUMNS = 10, NETWORK_COLUMNS = 6, COLUMNS_MAX = AGENT_COLUMNS, COMPLAINT_MAX = 600 };
enum { REASON_MAX = 60 };

static const uint64_t NUMBER_MAX = 999999999999999; /* milliseconds to which a time can be added */

struct parsing {
    struct rules *rules;
    size_t copied; /* bytes of rules->text in use */
    size_t agent_room, network_room;
    bool no_memory;
    void (*complain)(void *arg, const char *line);
    void *arg;
};

static bool is_agent_line(struct slice line)
{
    return slice_starts_i(line, slice_str("agent\t"));
}

static bool is_network_line(struct slice line)
{
    return slice_starts_i(line, slice_str("network\t"));
}

/* Of a network line all but the networks, which are many and need not be kept. */
static struct slice head_of(struct slice line)
{
    struct slice rest = line;

    if (!is_network_line(line))
        return line;
    for (size_t n = 0; n + 1 < NETWORK_COLUMNS; n++)
        slice_cut(&rest, '\t');
    return slice_of(line.p, (size_t)(rest.p - line.p));
}

static bool complain(struct parsing *parsing, const char *what, struct slice name, const char *why, struct slice about)
{
    struct buf line;

    buf_init(&line, COMPLAINT_MAX);
    if (about.len > RULES_PATTERN_MAX)
        about.len = RULES_PATTERN_MAX;
    if (name.len > REASON_MAX)
        name.len = REASON_MAX;
    buf_add_f(&line, "%s rule %.*s: %s \"%.*s\"", what, SLICE_ARG(name), why, SLICE_ARG(about));
    parsing->complain(parsing->arg, buf_text(&line));
    buf_free(&line);
    return false;
}

/* words */

static bool word_number(struct slice word, const char *const *words, size_t count, size_t *number)
{
    for (size_t n = 0; n < count; n++)
        if (slice_is(word, words[n])) {
            *number = n;
            return true;
        }
    return false;
}

#define WORD_NUMBER(word, words, number) word_number(word, words, sizeof words / sizeof *words, number)

/* Nothing is 0. */
static bool read_number(struct slice text, int64_t *number)
{
    uint64_t value = 0;

    if (text.len && !decimal_read(text, NUMBER_MAX, &value))
        return false;
    *number = (int64_t)value;
    return true;
}

static bool read_scope(struct slice kind, struct slice younger, struct rule_scope *scope)
{
    static const char *const kinds[] = {"any", "view", "click"}; /* 0 and enum hit_kind */
    size_t number;

    if (!WORD_NUMBER(kind, kinds, &number) || !read_number(younger, &scope->younger_ms))
        return false;
    scope->kind = (enum hit_kind)number;
    return true;
}

static bool read_verdict(struct slice word, bool *judged, enum hit_verdict *verdict)
{
    *judged = word.len > 0;
    *verdict = VERDICT_UNKNOWN;
    if (!*judged)
        return true;
    for (int n = VERDICT_UNKNOWN; n <= VERDICT_SELF; n++)
        if (slice_is(word, hit_verdict_name((enum hit_verdict)n))) {
            *verdict = (enum hit_verdict)n;
            return true;
        }
    return false;
}

static bool is_reason(struct slice reason)
{
    for (size_t at = 0; at < reason.len; at++)
        if (!ascii_is_alpha(reason.p[at]) && !ascii_is_digit(reason.p[at]) && reason.p[at] != '_')
            return false;
    return reason.len > 0 && reason.len <= REASON_MAX;
}

/* a rule */

static bool takes_pattern(enum rule_test test)
{
    return test != TEST_EMPTY && test != TEST_PRESENT && test != TEST_ALWAYS;
}

static bool read_test(struct parsing *parsing, const struct slice *column, struct agent_rule *rule)
{
    static const char *const tests[] = {"is",       "starts", "ends",  "contains", "word",
                                        "word_end", "host",   "empty", "present",  "always"}; /* enum rule_test */
    struct slice name = column[1], field = column[3], test = column[4];
    size_t number;

    if (!WORD_NUMBER(test, tests, &number))
        return complain(parsing, "agent", name, "there is no test", test);
    rule->test = (enum rule_test)number;
    rule->field = request_field_named(field);
    if (rule->test == TEST_ALWAYS ? field.len > 0 : rule->field == REQUEST_FIELDS)
        return complain(parsing, "agent", name, "cannot test the field", field);
    if (rule->pattern.len > RULES_PATTERN_MAX || (rule->pattern.len > 0) != takes_pattern(rule->test))
        return complain(parsing, "agent", name, "too long, missing, or more than the test takes is the pattern", rule->pattern);
    return true;
}

static bool read_agent(struct parsing *parsing, const struct slice *column, struct agent_rule *rule)
{
    struct slice name = column[1];

    *rule = (struct agent_rule){.pattern = column[5], .network = column[6], .reason = column[9]};
    if (name.len == 0 || !read_number(name, &rule->number))
        return complain(parsing, "agent", name, "not a number is", name);
    if (!read_scope(column[2], column[7], &rule->scope))
        return complain(parsing, "agent", name, "neither any, view nor click, or no age: ", column[2]);
    if (!read_verdict(column[8], &rule->judged, &rule->verdict))
        return complain(parsing, "agent", name, "there is no verdict", column[8]);
    if (!is_reason(rule->reason))
        return complain(parsing, "agent", name, "not a word is the reason", rule->reason);
    if (!rule->judged && !slice_is_i(column[3], "User-Agent"))
        return complain(parsing, "agent", name, "no verdict for the field", column[3]);
    return read_test(parsing, column, rule);
}

static bool read_network(struct parsing *parsing, const struct slice *column, struct network_rule *rule)
{
    struct slice name = column[4];

    *rule = (struct network_rule){.reason = name};
    if (!is_reason(name))
        return complain(parsing, "network", name, "not a word is the reason", name);
    if (!read_scope(column[1], column[2], &rule->scope))
        return complain(parsing, "network", name, "neither any, view nor click, or no age: ", column[1]);
    if (!read_verdict(column[3], &rule->judged, &rule->verdict))
        return complain(parsing, "network", name, "there is no verdict", column[3]);
    return true;
}

/* lines */

/* The head of the line, where it stays. */
static struct slice keep(struct parsing *parsing, struct slice head)
{
    char *place = parsing->rules->text + parsing->copied;

    memcpy(place, head.p, head.len);
    parsing->copied += head.len;
    return slice_of(place, head.len);
}

static void *grown(void *items, size_t count, size_t *room, size_t size)
{
    void *more;

    if (count < *room)
        return items;
    more = reallocarray(items, *room ? 2 * *room : 16, size);
    if (more)
        *room = *room ? 2 * *room : 16;
    return more;
}

static void add_agent(struct parsing *parsing, struct slice line)
{
    struct rules *rules = parsing->rules;
    struct slice column[COLUMNS_MAX];
    struct agent_rule rule, *more;

    if (rules->agents == RULES_AGENTS_MAX || !slice_columns(keep(parsing, line), column, AGENT_COLUMNS)) {
        complain(parsing, "agent", slice_of("", 0), "one too many, or no rule:", line);
        return;
    }
    if (!read_agent(parsing, column, &rule))
        return;
    more = grown(rules->agent, rules->agents, &parsing->agent_room, sizeof rule);
    if (more) {
        rules->agent = more;
        rules->agent[rules->agents++] = rule;
    }
    parsing->no_memory = parsing->no_memory || !more;
}

static void add_networks(struct parsing *parsing, struct slice name, struct slice list)
{
    struct network network;

    while (list.len && !parsing->no_memory) {
        struct slice text = slice_cut(&list, ' ');

        if (!network_parse(text, &network))
            complain(parsing, "network", name, "not a network is", text);
        else if (!network_map_add(parsing->rules->map, &network, (uint16_t)parsing->rules->networks))
            parsing->no_memory = true;
    }
}

static void add_network(struct parsing *parsing, struct slice line)
{
    struct rules *rules = parsing->rules;
    struct slice head = head_of(line);
    struct slice column[COLUMNS_MAX];
    struct network_rule rule, *more;

    if (rules->networks == RULES_NETWORKS_MAX || !slice_columns(keep(parsing, head), column, NETWORK_COLUMNS)) {
        complain(parsing, "network", slice_of("", 0), "one too many, or no rule:", head);
        return;
    }
    if (!read_network(parsing, column, &rule))
        return;
    more = grown(rules->network, rules->networks, &parsing->network_room, sizeof rule);
    if (!more) {
        parsing->no_memory = true;
        return;
    }
    rules->network = more;
    rules->network[rules->networks++] = rule;
    add_networks(parsing, rule.reason, slice_from(line, head.len));
}

static void add_line(struct parsing *parsing, struct slice line)
{
    if (is_agent_line(line))
        add_agent(parsing, line);
    else if (is_network_line(line))
        add_network(parsing, line);
    else if (line.len)
        complain(parsing, "unknown", slice_of("", 0), "no rule is", line);
}

static size_t bytes_to_keep(struct slice text)
{
    size_t bytes = 1; /* none is no memory */

    while (text.len)
        bytes += head_of(slice_cut(&text, '\n')).len;
    return bytes;
}

static int compare_numbers(const void *left, const void *right)
{
    const struct agent_rule *a = left, *b = right;

    return (a->number > b->number) - (a->number < b->number);
}

static bool is_word_of_agent(const struct agent_rule *rule)
{
    return rule->field == REQUEST_USER_AGENT && rule->test == TEST_WORD;
}

static void list_looks(struct rules *rules, bool on_agent)
{
    for (size_t n = 0; n < rules->agents; n++) {
        const struct agent_rule *rule = &rules->agent[n];

        if (!is_word_of_agent(rule) && (rule->field == REQUEST_USER_AGENT) == on_agent)
            rules->look[rules->looks++] = (uint32_t)n;
    }
}

static bool finish(struct rules *rules)
{
    if (rules->agents)
        qsort(rules->agent, rules->agents, sizeof *rules->agent, compare_numbers);
    rules->look = calloc(rules->agents + 1, sizeof *rules->look);
    if (!rules->look)
        return false;
    for (size_t n = 0; n < rules->agents; n++)
        if (is_word_of_agent(&rules->agent[n]) && !name_set_add(&rules->words, rules->agent[n].pattern, (uint32_t)n))
            return false;
    name_set_build(&rules->words);
    list_looks(rules, true);
    rules->agent_looks = rules->looks;
    list_looks(rules, false);
    return network_map_build(rules->map);
}

struct rules *rules_parse(struct slice text, void (*complain_to)(void *arg, const char *line), void *arg)
{
    struct rules *rules = calloc(1, sizeof *rules);
    struct parsing parsing = {.rules = rules, .complain = complain_to, .arg = arg};

    if (!rules)
        return NULL;
    atomic_init(&rules->holders, 1);
    rules->text = malloc(bytes_to_keep(text));
    rules->map = network_map_new();
    parsing.no_memory = !rules->text || !rules->map;
    while (text.len && !parsing.no_memory)
        add_line(&parsing, slice_cut(&text, '\n'));
    if (!parsing.no_memory && finish(rules))
        return rules;
    rules_let_go(rules);
    return NULL;
}
