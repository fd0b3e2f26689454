/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * journal - a milter's record of what it did, safe on disk before the MTA hears the answer.
 *
 * The spool, its loader and what both need, opened and closed as one. Any thread may write.
 */
#ifndef MILTER_JOURNAL_H
#define MILTER_JOURNAL_H

#include "common/conf.h"
#include "common/loader.h"
#include "common/message_id.h"
#include "common/record.h"
#include "common/spool.h"

struct journal {
    struct spool *spool;
    struct loader *loader;
    struct message_id_maker *numbers; /* spoor-stamp only, else NULL */
    char host[256];
    char *directory; /* SPOOL_DIRECTORY/NAME[-INSTANCE] */
};

/* NAME "stamp" or "match". Logs warnings; ERROR says why it failed. */
bool journal_open(struct journal *journal, const struct conf *conf, const char *name, bool with_numbers,
                  struct buf *error);
/* The loader: a thread, so after daemon_start() and after privileges were dropped. */
bool journal_start(struct journal *journal, const struct conf *conf, const char *program, struct buf *error);
/* Gives the loader DRAIN_MS to bring away what is left. */
void journal_close(struct journal *journal, int drain_ms);

/* On the disk when true. On failure one line a minute says how many mails went without a record. */
bool journal_write(struct journal *journal, enum record_kind kind, const struct buf *payload);

#endif
