/* SPDX-License-Identifier: BSD-2-Clause */
/* postfix_advice_private - what the files of postfix_advice share. */
#ifndef CTL_POSTFIX_ADVICE_PRIVATE_H
#define CTL_POSTFIX_ADVICE_PRIVATE_H

#include "ctl/postfix_advice.h"
#include "ctl/postfix_milters.h"

enum postfix_ours_name { OURS_STAMP, OURS_COPIES, OURS_MATCH, OURS };

struct postfix_ours {
    const char *program, *option, *parameter; /* "spoor-stamp", "stamp.listen", "spoor_stamp" */
    const char *socket;  /* where README puts it, below the queue folder's "spoor" */
    struct buf endpoint; /* as postfix_milter_endpoint() spells it; empty: not on this machine */
    struct buf listed;   /* as Postfix takes it */
    bool wanted;         /* there is one, and Postfix can reach it */
    bool used;           /* a list names the parameter */
};

struct postfix_work {
    const struct postfix_settings *settings;
    const struct conf *conf;
    struct postfix_advice *advice;
    const char *directory;
    struct postfix_ours ours[OURS];
    struct buf lines; /* of lists, which stand behind what they refer to */
};

enum { POSTFIX_TEXT_MAX = 256 * 1024 };

/* What a smtpd is for. */
enum postfix_use { USE_SUBMISSION, USE_MX, USE_BEHIND_FILTER, USE_UNKNOWN };
enum postfix_use postfix_use(const struct postfix_settings *settings, const char *service);

/* A command: FLAG is "-e", "-P" or "-M". */
void postfix_add_line(struct postfix_work *work, struct buf *lines, const char *flag, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* From spoor.conf's LISTEN; empty is none. */
void postfix_ours_fill(struct postfix_work *work, enum postfix_ours_name name, const char *listen);
/* A socket that Postfix cannot see must not come into a list: all mail would wait. */
void postfix_ours_reach(struct postfix_work *work, struct postfix_ours *ours);
/* The definition that the lists refer to, where it is not there already. */
void postfix_ours_define(struct postfix_work *work, struct postfix_ours *ours);

/* The place of ours in MILTERS, or its count. */
size_t postfix_find_ours(const struct postfix_work *work, const struct postfix_milters *milters, enum postfix_ours_name name);
/* What of ours does in MILTERS is not as it should be: NULL, or a static text. */
const char *postfix_ours_fault(const struct postfix_work *work, const struct postfix_milter *milter);
/* What a list should call ours: as it does, where that is good. */
const char *postfix_ours_written(struct postfix_work *work, const struct postfix_milters *milters, enum postfix_ours_name name);

/* The second pass, with all that belongs to it. */
void postfix_advise_copies(struct postfix_work *work);

#endif
