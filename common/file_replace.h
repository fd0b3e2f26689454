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

/* A new file beside NAME in the open DIRECTORY; its descriptor, to be handed to file_replace_commit(), or -1. */
int file_replace_begin(int directory, const char *name);

/* Writes CONTENT, puts the file in NAME's place; closes FILE in any case. */
bool file_replace_commit(int directory, const char *name, int file, struct slice content);

#endif
