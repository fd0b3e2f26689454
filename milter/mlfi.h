/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mlfi - libmilter's callbacks: each mail is gathered and handed over once.
 *
 * Callbacks of one connection run on different threads (Debian's libmilter has a worker pool), so all
 * state hangs on the connection. No callback but the last answers the MTA (SMFIP_NR_*): all of a
 * mail is gathered and judged at end-of-message. A callback that blocks delays other mails too.
 */
#ifndef MILTER_MLFI_H
#define MILTER_MLFI_H

#include "common/buf.h"
#include "common/conf.h"
#include "milter/mlfi_message.h"

#include <libmilter/mfapi.h>

#include <stdbool.h>

struct mlfi_service {
    const char *program;
    const struct conf_milter *conf;
    unsigned long actions; /* SMFIF_* */
    struct mlfi_limits limits;
    bool can_wait;         /* the mail stands in a queue of ours: without memory it is to be tried again */
    /* Judges and edits; the answer goes to the MTA. Must not keep MESSAGE. */
    sfsistat (*finish)(void *arg, struct mlfi_message *message);
    void *arg;
};

/* Registers and opens the socket with its mode and group. Before privileges are dropped; once a process. */
bool mlfi_open(const struct mlfi_service *service, struct buf *error);
/* Serves in a thread of its own. */
bool mlfi_start(struct buf *error);
/*
 * Waits until no mail is under way, answering mail that begins meanwhile with 4xx, then closes. False when
 * the drain timeout was over first: a mail may still be at work with what the service uses.
 */
bool mlfi_stop(void);

#endif
