/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * child - one program run to its end, within limits, and killed with all that it started when it passes them.
 *
 * The program gets an empty environment, /dev/null, two pipes and the descriptors that are named; it dies with the
 * thread that runs it. Safe in several threads at once.
 */
#ifndef RENDER_CHILD_H
#define RENDER_CHILD_H

#include "common/slice.h"

#include <stdint.h>

enum { CHILD_WORDS = 600, CHILD_KEEP_MOST = 4 };

struct child_order {
    const char *const *argv; /* NULL at its end; the first is a path */
    int keep[CHILD_KEEP_MOST]; /* descriptors that it gets under their numbers */
    int keep_count;
    int cpu_s;            /* of each process: SIGXCPU after it */
    int64_t memory;       /* bytes of address space of each process */
    int64_t file_size;    /* bytes that it may write to one file */
    int64_t until_ms;     /* clock_monotonic_ms(): late after it */
    int quiet_ms;         /* late when nothing comes for so long; the consumer's own time does not count */
    int stop_fd;          /* readable: kill it and end */
    /* What it writes to stdout; and about every 20 s. False: kill it. */
    bool (*take)(void *arg, struct slice bytes);
    bool (*tick)(void *arg);
    void *arg;
};

enum child_end { CHILD_EXITED, CHILD_SIGNALLED, CHILD_LATE, CHILD_STOPPED, CHILD_REFUSED, CHILD_UNSTARTED };

struct child_result {
    enum child_end end;
    int code;                /* exit status or signal; of CHILD_UNSTARTED: errno */
    char words[CHILD_WORDS]; /* how its stderr began, control characters as blanks */
};

void child_run(const struct child_order *order, struct child_result *result);

#endif
