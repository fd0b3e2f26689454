/* SPDX-License-Identifier: BSD-2-Clause */
/* conf_private - what the configuration's own files share: the table, and the test of what was loaded. */
#ifndef COMMON_CONF_PRIVATE_H
#define COMMON_CONF_PRIVATE_H

#include "common/conf.h"
#include "common/conf_row.h"
#include "common/conf_sink_rows.h"

enum { CONF_ROWS_MAX = 160 /* in conf.c */ };

extern const struct conf_row conf_rows[];
extern const size_t conf_rows_count;


/* All there are: those of conf_rows, then those of a sink. */
const struct conf_row *conf_row_at(size_t n);

/* For PART; ERROR gets what is missing or does not fit. */
bool conf_is_complete(const struct conf *conf, enum conf_part part, struct buf *error);

#endif
