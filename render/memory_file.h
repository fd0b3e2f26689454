/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_file - bytes as a file that no folder has: a document on its way into the sandbox leaves nothing behind on a disk.
 */
#ifndef RENDER_MEMORY_FILE_H
#define RENDER_MEMORY_FILE_H

#include "common/slice.h"

/* A descriptor, closed on exec, at its start; -1 with errno. */
int memory_file_of(struct slice bytes);
/* At its end; these are false with errno. */
bool memory_file_add(int fd, struct slice bytes);
bool memory_file_rewind(int fd);

#endif
