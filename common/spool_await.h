/* SPDX-License-Identifier: BSD-2-Clause */
/* spool_await - until the process that has a spool folder lets it go. */
#ifndef COMMON_SPOOL_AWAIT_H
#define COMMON_SPOOL_AWAIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * True when nobody has the folder, or it is not there; false when somebody still has it after TIMEOUT_MS. Holds nothing
 * itself: a third process may be quicker, and spool_open() says so.
 */
bool spool_await(const char *directory, int64_t timeout_ms);

#endif
