/* SPDX-License-Identifier: BSD-2-Clause */
/* soql - questions in Salesforce's query language, with foreign texts made harmless. Pure. */
#ifndef RELAY_SOQL_H
#define RELAY_SOQL_H

#include "common/buf.h"

enum { SOQL_MAX = 12 * 1024 /* with all that a URL has to escape, below what Salesforce takes */ };

/* Adds TEXT as a quoted literal. */
void soql_add_literal(struct buf *out, const char *text);

/* Adds " IN (...)" with each text once; false when OUT has no room or there is no text. */
bool soql_add_in(struct buf *out, const char *const *texts, size_t count);

#endif
