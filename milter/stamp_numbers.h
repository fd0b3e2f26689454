/* SPDX-License-Identifier: BSD-2-Clause */
/* stamp_numbers - the numbers of this process's mails: from the node number that the database has given, kept beside the spool. */
#ifndef MILTER_STAMP_NUMBERS_H
#define MILTER_STAMP_NUMBERS_H

#include "milter/stamp_filter.h"

/* Sets filter->numbers, once the spool is open. */
bool stamp_numbers_open(struct stamp_filter *filter, struct buf *error);
/* For the loader, from its thread: the database has said which node this spool is. ARG is a struct stamp_filter. */
void stamp_numbers_node_known(void *arg, int node);

#endif
