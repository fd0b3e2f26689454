/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * disk_log - every change that a program makes to one folder, recorded in order, and what a crash leaves of them.
 *
 * The calls that change files are wrapped when the test is linked (see tests/local.mk), and recorded between
 * disk_log_begin() and disk_log_end(); outside of that syncs do nothing, for a rebuilt folder needs none. What cannot be
 * recorded ends the program. Any thread may change files; one calls the functions below.
 */
#ifndef TESTS_SUPPORT_DISK_LOG_H
#define TESTS_SUPPORT_DISK_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void disk_log_begin(const char *folder);
void disk_log_end(void);
void disk_log_free(void);

/* The next COUNT syncs fail: what was written before each will never be known to be on the disk. */
void disk_log_fail_syncs(int count);

/* What the program has promised from here on. */
struct disk_promise {
    int acknowledged;  /* records that must be there */
    int released;      /* of those the first that need not be */
    uint64_t position; /* behind the released ones */
};
void disk_log_promise(struct disk_promise promise);

size_t disk_log_operations(void);

enum disk_crash {
    CRASH_KILLED,      /* the process: all that it did is there */
    CRASH_TORN,        /* the same, but half of the last write */
    CRASH_DATA_LOST,   /* the machine: writes that were not synced are gone */
    CRASH_NAMES_LOST,  /* new, changed and removed names that were not synced are */
    CRASH_ALL_LOST,    /* both */
    CRASH_SOME_LOST    /* any of the writes, whole or in part, and the last of the names */
};
/* The folder as a crash after so many operations leaves it, in FOLDER, which is empty; SEED chooses what is lost. The
 * file `identity` is made to belong there. Returns what was promised then. */
struct disk_promise disk_log_rebuild(enum disk_crash crash, size_t operations, unsigned seed, const char *folder);

#endif
