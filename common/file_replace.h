/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * file_replace - a small file gets new contents at once or not at all, and they are on the disk.
 *
 * Errors are in errno. A file is replaced by one thread at a time.
 */
#ifndef COMMON_FILE_REPLACE_H
#define COMMON_FILE_REPLACE_H

#include "common/slice.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * A new file beside NAME in the open DIRECTORY; its descriptor, for file_replace_commit(), or -1. What lies there goes: left
 * behind by a crash, or a link that somebody else has put there.
 */
int file_replace_begin(int directory, const char *name);

/* Writes CONTENT, puts the file in NAME's place; closes FILE in any case. */
bool file_replace_commit(int directory, const char *name, int file, struct slice content);

/* All of that for the file at PATH, which gets MODE. */
bool file_replace(const char *path, mode_t mode, struct slice content);

/* Takes away what is beside NAME, which others shall not find. */
void file_replace_abandon(int directory, const char *name);

#endif
