/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress - what a command is at, as one line at the bottom of the terminal that renews itself.
 *
 * There is none before a command has taken a second, and never where stderr is no terminal. A thread of its own draws it,
 * so whoever waits for the database needs not come back in between; it blocks all signals. A process has one line, and these
 * functions are for its main thread. A child by fork() has none: its parent goes on drawing.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include "common/buf.h"

#include <stdint.h>

/* What the command does from now on, such as "010-delivery.sql". */
void progress_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* How much of it is done; TOTAL 0: that is not known. */
void progress_count(uint64_t done, uint64_t total);
/* The same, where nobody comes back to say so: LEFT is called by the drawing thread, until progress_end(). */
void progress_follow(uint64_t (*left)(void *arg), void *arg);
/* Before anything else is printed. The line comes back by itself, below that. */
void progress_clear(void);
/* The line is gone, and its thread. Harmless when there was none. */
void progress_end(void);

/* For the tests: the text of the line, without what moves the cursor, in at most COLUMNS. */
void progress_line(struct buf *line, const char *what, uint64_t done, uint64_t total, unsigned seconds, unsigned columns);

#endif
