/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_milters - a list of filters as smtpd_milters has it, and what is known of each. Pure.
 */
#ifndef CTL_POSTFIX_MILTERS_H
#define CTL_POSTFIX_MILTERS_H

#include "ctl/postfix_settings.h"

enum { POSTFIX_MILTERS_MOST = 32 };

enum postfix_milter_does { /* bits */
    MILTER_VERIFIES = 1, /* looks at signatures of what comes in, which an edit would break */
    MILTER_SIGNS = 2,    /* with DKIM, what goes out */
    MILTER_SEALS = 4     /* with ARC, what was verified */
};

struct postfix_milters {
    struct postfix_milter {
        char *written; /* as it may stand in a list: "$spoor_stamp" */
        char *meaning; /* without references: "{ unix:spoor/stamp.sock, default_action=tempfail }" */
    } milter[POSTFIX_MILTERS_MOST];
    size_t count;
};

/* Reads LIST, a value with references. False when there are too many, or no memory. To be freed in either case. */
bool postfix_milters_read(struct postfix_milters *milters, const struct postfix_settings *settings, const char *list);
void postfix_milters_free(struct postfix_milters *milters);

/* Where it listens, in one spelling: "unix:/PATH" or "inet:HOST:PORT". */
void postfix_milter_endpoint(const struct postfix_settings *settings, const char *meaning, struct buf *endpoint);

/* What stands in its braces for NAME; empty when nothing does. */
struct slice postfix_milter_setting(const char *meaning, const char *name);

/* Bits of enum postfix_milter_does, by the names and ports that such programs have. */
unsigned postfix_milter_does(const char *meaning);

#endif
