/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - reads what mail programs have told the systemd journal, and goes on where it stopped.
 *
 * Each entry becomes a line as "journalctl -o short-iso-precise --utc" shows it. The journal's own cursor is the bookmark,
 * so neither its rotation nor its vacuuming matters as long as the entries are there; where they are not, the log says so.
 * Built without libsystemd, journal_none.c stands here and opens nothing. One thread.
 */
#ifndef DELIVERY_JOURNAL_H
#define DELIVERY_JOURNAL_H

#include "common/buf.h"
#include "common/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/*
 * Of this machine, or from the files in a FOLDER; what has the facility mail, or only what comes from a UNIT. Either may be
 * NULL. The bookmark is DIRECTORY/NAME. All are copied. NULL with ERROR when one of them cannot be read.
 */
struct journal *journal_open(const char *folder, const char *unit, const char *directory, const char *name,
                             struct buf *error);
void journal_close(struct journal *journal);

/* As log_file_read(). */
int64_t journal_read(struct journal *journal, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                     struct buf *error);

/* Notes that all lines given so far are taken care of. False: errno says why. */
bool journal_save(struct journal *journal);

#endif
