/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rulebook - the rules that hold now, for all threads: who judges a request takes them, while others replace them.
 */
#ifndef PIXELD_RULEBOOK_H
#define PIXELD_RULEBOOK_H

#include "pixeld/rules.h"

struct rulebook;

/* RULES become the book's. NULL without memory, or when RULES are. */
struct rulebook *rulebook_new(struct rules *rules);
void rulebook_free(struct rulebook *book);

/* Let them go with rules_let_go(). */
struct rules *rulebook_take(struct rulebook *book);
/* RULES become the book's; those before go when nobody holds them any more. */
void rulebook_replace(struct rulebook *book, struct rules *rules);

#endif
