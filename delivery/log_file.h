/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * log_file - reads a log by its name, through every rotation, and goes on where it stopped.
 *
 * A file is known by its first bytes, not by its inode, for it may be renamed, copied and truncated, or compressed
 * while nobody looks: what is left of it is then found among the files beside it whose names begin with its own
 * ("mail.log.1", "mail.log-20261121.gz"), and what was written after it is read before the log itself. The first time
 * all of these are read, oldest first. Only whole lines are given; one that is longer than 64 KB is left out.
 *
 * The bookmark is a small file that log_file_save() writes. One thread.
 */
#ifndef DELIVERY_LOG_FILE_H
#define DELIVERY_LOG_FILE_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct log_file;

/*
 * PATH of the log, which need not be there yet; the bookmark is DIRECTORY/NAME. Both are copied. NULL with ERROR when
 * there is a bookmark that cannot be read.
 */
struct log_file *log_file_open(const char *path, const char *directory, const char *name, struct buf *error);
void log_file_close(struct log_file *file);

/*
 * Gives the lines that are there to LINE, about MOST bytes of them. The number of bytes read: 0 when there is no more
 * now. -1 with ERROR when something cannot be read; the next call tries again.
 */
int64_t log_file_read(struct log_file *file, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                      struct buf *error);

/* Notes that all lines given so far are taken care of. False: errno says why. */
bool log_file_save(struct log_file *file);

#endif
