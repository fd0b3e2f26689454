/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verdict - who is behind a hit, as far as the request alone tells. Pure.
 *
 * The first row of the table in verdict.c that matches gives verdict and reason; what is known of programs and networks
 * is one of them and comes from the rules. Every hit is recorded all the same, and hindsight (bursts, delivery) may judge
 * again. Age is since the mail was accepted here. The recipient's server may have got it much later, so age alone can
 * show a machine but never a person.
 */
#ifndef PIXELD_VERDICT_H
#define PIXELD_VERDICT_H

#include "pixeld/rules.h"

struct verdict {
    enum hit_verdict verdict;
    struct slice reason; /* a word, kept in the database; as long as the rules live */
};

struct verdict verdict_of(const struct rules *rules, const struct rules_question *question);

#endif
