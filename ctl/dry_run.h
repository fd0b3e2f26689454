/* SPDX-License-Identifier: BSD-2-Clause */
/* dry_run - the words that `spoorctl stamp` and `spoorctl match` share: which mail, under which envelope. */
#ifndef CTL_DRY_RUN_H
#define CTL_DRY_RUN_H

#include "common/conf.h"
#include "ctl/mail_file.h"
#include "mail/way.h"

struct dry_run {
    const char *path;        /* "-" is stdin */
    struct slice from;       /* empty: null sender */
    bool from_given;
    struct slice *recipient; /* owned array of borrowed texts */
    size_t recipients;
    bool ours;               /* --ours */
    struct buf from_text;    /* behind what the headers say */
    char **name;             /* owned: recipients that the headers name */
    size_t named;
    bool explain;            /* --explain */
    const char *policy;      /* --policy FILE; NULL: none */
};

/* --from ADDR, --rcpt ADDR (repeated), --ours, --explain, --policy FILE, FILE. Free RUN in any case. */
bool dry_run_words(int argc, char **argv, struct dry_run *run);
void dry_run_free(struct dry_run *run);

/* A line on stderr, with log_level = debug, as the daemons log it then. */
void dry_run_tell_way(const struct conf *conf, const struct way *way);

/* What was not given comes from the headers: the sender from the first of FIELDS (NULL-terminated) that names one, recipients from To, Cc and Bcc. */
void dry_run_complete(struct dry_run *run, const struct header_list *headers, const char *const *fields);

#endif
