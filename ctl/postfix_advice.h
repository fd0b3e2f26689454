/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_advice - what is to be typed so that a Postfix asks our milters, and what is wrong with how it does. Pure: the text of
 * settings in, lines out.
 *
 * Order matters. On the way out spoor-stamp stands before all else, for what signs with DKIM has to see the mail as it leaves. On the
 * way in spoor-match stands behind what verifies signatures, which an edit would break, and before what seals with ARC.
 */
#ifndef CTL_POSTFIX_ADVICE_H
#define CTL_POSTFIX_ADVICE_H

#include "common/conf.h"
#include "ctl/postfix_settings.h"

enum postfix_grade { POSTFIX_OK, POSTFIX_NOTE, POSTFIX_FAIL };

struct postfix_advice {
    struct buf lines;    /* commands for sh; empty when nothing is to be done */
    struct buf findings; /* a line each */
    struct buf troubles; /* those of them that are not POSTFIX_OK */
    bool good;           /* none of them is POSTFIX_FAIL */
    bool in_sight;       /* each socket is where Postfix can see it; there are no lines for one that is not */
};

void postfix_advice_init(struct postfix_advice *advice);
void postfix_advice_free(struct postfix_advice *advice);

/* Adds a finding about WHAT. */
void postfix_advice_say(struct postfix_advice *advice, enum postfix_grade grade, const char *what, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Adds TEXT as one word of sh. */
void postfix_add_quoted(struct buf *out, const char *text);

/* DIRECTORY is where main.cf is, for the lines; NULL for where Postfix looks by itself. */
void postfix_advise(const struct postfix_settings *settings, const struct conf *conf, const char *directory,
                    struct postfix_advice *advice);

#endif
