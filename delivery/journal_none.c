/* SPDX-License-Identifier: BSD-2-Clause */
/* journal_none - journal.h without libsystemd */

#include "delivery/journal.h"

struct journal *journal_open(const char *folder, const char *unit, const char *directory, const char *name,
                             struct buf *error)
{
    (void)folder, (void)unit, (void)directory, (void)name;
    buf_add_f(error, "this spoor-delivery was built without libsystemd and cannot read the journal; name a file in log");
    return NULL;
}

void journal_close(struct journal *journal)
{
    (void)journal;
}

int64_t journal_read(struct journal *journal, size_t most, void (*line)(void *arg, struct slice line), void *arg,
                     struct buf *error)
{
    (void)journal, (void)most, (void)line, (void)arg, (void)error;
    return 0;
}

bool journal_save(struct journal *journal)
{
    (void)journal;
    return true;
}
