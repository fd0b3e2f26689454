/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source - a log to be followed, as the option log names it: a file, or the systemd journal.
 *
 * "/PATH" is a file; "journal" what has the facility mail in this machine's journal, "journal:UNIT" what comes from one
 * unit, "journal:/PATH" the journal files in a folder. The functions are those of log_file.h and journal.h.
 */
#ifndef DELIVERY_SOURCE_H
#define DELIVERY_SOURCE_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

/* The bookmark lies in DIRECTORY. NULL with ERROR, which is empty when memory has run out. */
struct source *source_open(const char *name, const char *directory, struct buf *error);
void source_close(struct source *source);
int64_t source_read(struct source *source, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                    struct buf *error);
bool source_save(struct source *source);

#endif
