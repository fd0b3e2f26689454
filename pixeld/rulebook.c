/* SPDX-License-Identifier: BSD-2-Clause */
/* rulebook - see rulebook.h */

#include "pixeld/rulebook.h"

static void hold(void *rules)
{
    rules_hold(rules);
}

static void let_go(void *rules)
{
    rules_let_go(rules);
}

struct latest *rulebook_new(struct rules *rules)
{
    return latest_new(rules, hold, let_go);
}

struct rules *rulebook_take(struct latest *book)
{
    return latest_take(book);
}
