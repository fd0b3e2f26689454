/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rules - what is known of programs and networks, and what it says of a request. Pure.
 *
 * Made from a text, which comes from the tables spoor.agent_rule and spoor.network_rule, from the file kept of them, or
 * is compiled in (rules_builtin.c). A rule a line, its columns parted by tabs, an empty one where nothing is said:
 *     agent NUMBER KIND FIELD TEST PATTERN NETWORK YOUNGER_MS VERDICT REASON
 *     network KIND YOUNGER_MS VERDICT REASON NETWORK[ NETWORK...]
 * KIND is any, view or click. A bad rule is named and left out; the others hold.
 *
 * A rule of the most specific network that has the client comes first, when it has a verdict. Else that agent rule
 * decides whose number is lowest; but of those on the User-Agent only the lowest counts, and if it has no
 * verdict, it says that the program is a person's. Made once, then read by all threads; it counts who holds it.
 */
#ifndef PIXELD_RULES_H
#define PIXELD_RULES_H

#include "common/record.h"
#include "pixeld/client.h"
#include "pixeld/request.h"

#include <stdbool.h>
#include <stdint.h>

struct rules;

/* What the rules look at. */
struct rules_question {
    const struct request *request;
    const struct client *client;
    enum hit_kind kind;
    int64_t age_ms; /* of the mail */
    bool decoy;     /* a click on the link that no person sees; no rule asks */
};

struct rules_answer {
    bool judged;          /* then VERDICT and REASON are set */
    bool person;          /* the program is a person's */
    enum hit_verdict verdict;
    struct slice reason;  /* as long as the rules live */
};

/* COMPLAIN gets a line for each bad rule. NULL without memory. */
struct rules *rules_parse(struct slice text, void (*complain)(void *arg, const char *line), void *arg);
struct rules *rules_hold(struct rules *rules); /* one more holder */
void rules_let_go(struct rules *rules); /* the last one frees; NULL is fine */

struct rules_answer rules_ask(const struct rules *rules, const struct rules_question *question);

struct rules_size {
    size_t agent, network; /* rules; a rule may stand for many networks */
    size_t ranges;         /* of addresses */
};
struct rules_size rules_size(const struct rules *rules);

/* The rules that are compiled in, as such a text. */
extern const char rules_builtin[];

/* Age below MS; a little before the mail can only be two clocks that differ. */
bool rules_younger(int64_t age_ms, int64_t ms);

#endif
