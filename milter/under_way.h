/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * under_way - how many mails are under way in this process, and how it comes to an end without one.
 *
 * One a process, for libmilter serves one socket a process. From any thread.
 */
#ifndef MILTER_UNDER_WAY_H
#define MILTER_UNDER_WAY_H

#include <stdbool.h>
#include <stdint.h>

/* Counts a mail until under_way_end(). False, and it is not counted, once the process is about to end. */
bool under_way_begin(void);
void under_way_end(void);
/* True once nothing that the service uses may be touched any more. */
bool under_way_is_closed(void);
/* Lets mails end for up to MOST_MS and no more begin, then closes. False, and logged, when some had not ended. */
bool under_way_drain(int64_t most_ms);

#endif
