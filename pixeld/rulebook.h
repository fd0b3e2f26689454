/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rulebook - the rules that hold now, for all threads: who judges a request takes them, while others replace them.
 *
 * A struct latest of rules: latest_replace() and latest_free() are its own.
 */
#ifndef PIXELD_RULEBOOK_H
#define PIXELD_RULEBOOK_H

#include "common/latest.h"
#include "pixeld/rules.h"

/* RULES become the book's. NULL without memory, or when RULES are. */
struct latest *rulebook_new(struct rules *rules);

/* Let them go with rules_let_go(). */
struct rules *rulebook_take(struct latest *book);

#endif
