/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * conf_sink_rows - the options of a sink, of which spoor.conf may have many: sink NAME { ... }.
 *
 * For the configuration's own files; programs read struct conf_sink.
 */
#ifndef COMMON_CONF_SINK_ROWS_H
#define COMMON_CONF_SINK_ROWS_H

#include "common/conf_row.h"
#include "common/conf_sink.h"

enum { CONF_SINK_ROWS = 25 };

/* Their offsets are in struct conf_sink, their section is "sink". */
extern const struct conf_row conf_sink_rows[CONF_SINK_ROWS];

/* Has it all that its type needs? WHY gets the name of what is missing, and what it is. */
bool conf_sink_is_complete(const struct conf_sink *sink, struct buf *why);

void conf_sink_clear(struct conf_sink *sink);

#endif
