/* SPDX-License-Identifier: BSD-2-Clause */
/* rules_private - what the two files of rules.h share. */
#ifndef PIXELD_RULES_PRIVATE_H
#define PIXELD_RULES_PRIVATE_H

#include "common/network_map.h"
#include "pixeld/name_set.h"
#include "pixeld/rules.h"

#include <stdatomic.h>

enum {
    RULES_VALUE_MAX = USER_AGENT_MAX, /* what lies behind it in a field is not looked at: a stranger wrote it */
    RULES_PATTERN_MAX = 200,
    RULES_AGENTS_MAX = 10000,
    RULES_NETWORKS_MAX = UINT16_MAX
};

enum rule_test {
    TEST_IS, /* with regard to case; all others without */
    TEST_STARTS,
    TEST_ENDS,
    TEST_CONTAINS,
    TEST_WORD,     /* the pattern stands where a word begins */
    TEST_WORD_END, /* a word ends so */
    TEST_HOST,     /* the value is a URL, and its host is the pattern or below it */
    TEST_EMPTY,
    TEST_PRESENT,
    TEST_ALWAYS
};

struct rule_scope {
    enum hit_kind kind; /* 0: any */
    int64_t younger_ms; /* 0: whatever the mail's age */
};

struct agent_rule {
    struct rule_scope scope;
    enum request_field field; /* REQUEST_FIELDS with TEST_ALWAYS */
    enum rule_test test;
    bool judged;
    enum hit_verdict verdict;
    struct slice pattern;
    struct slice network; /* reason of a network rule that the client must be under; empty: any */
    struct slice reason;
    int64_t number;
};

struct network_rule {
    struct rule_scope scope;
    bool judged;
    enum hit_verdict verdict;
    struct slice reason;
};

struct rules {
    atomic_size_t holders;
    char *text; /* what the slices point into: the lines without their networks */
    struct agent_rule *agent; /* by number */
    size_t agents;
    struct network_rule *network;
    size_t networks;
    uint32_t *look; /* places in AGENT: first those of other tests on the User-Agent, then those on other fields */
    size_t agent_looks, looks;
    struct name_set words; /* of TEST_WORD on the User-Agent; stands for the place in AGENT */
    struct network_map *map; /* stands for the place in NETWORK, from 1 */
};

#endif
