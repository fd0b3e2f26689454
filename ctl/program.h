/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * program - another program, run to its end for what it says.
 */
#ifndef CTL_PROGRAM_H
#define CTL_PROGRAM_H

#include "common/buf.h"

enum program_end { PROGRAM_GOOD, PROGRAM_FAILED, PROGRAM_NOT_STARTED /* errno */ };

/* ARGV[0] is looked for in PATH. OUTPUT gets its standard output when it was good, and else what it said of its errors. */
enum program_end program_run(const char *const *argv, struct buf *output);

#endif
