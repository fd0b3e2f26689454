/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_text - a record of a spool as one line of key=value, for people and for grep.
 *
 * A value that is more than letters, digits and -+._:@/<> is quoted, with \" \\ and \xHH in it. Times are UTC. What has
 * no value is left out. Pure.
 */
#ifndef CTL_RECORD_TEXT_H
#define CTL_RECORD_TEXT_H

#include "common/buf.h"
#include "common/spool.h"

/* No line feed at the end. A kind that this program does not know shows its number and size only. */
void record_text_add(struct buf *out, const struct spool_record *record);

#endif
