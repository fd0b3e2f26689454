/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way - which steps a mail went through, and what each said: for whoever looks for a fault. Pure.
 *
 * Noting a step costs two pointers, so that it is always done and only written down when somebody wants it.
 */
#ifndef MAIL_WAY_H
#define MAIL_WAY_H

#include "common/buf.h"

enum { WAY_MOST = 24 };

struct way { /* {0} to begin with */
    struct {
        const char *name;
        const char *said; /* NULL: nothing; the mail went on as it was */
    } step[WAY_MOST];
    size_t steps;
};

/* NAME and SAID are static. What is more than WAY_MOST is not noted. */
void way_note(struct way *way, const char *name, const char *said);

/* "ours, campaign, automatic: null_sender" */
bool way_print(const struct way *way, struct buf *out);

#endif
