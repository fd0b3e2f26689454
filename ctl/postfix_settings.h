/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * postfix_settings - what postconf(1) says of one Postfix. Pure: its text in, answers out.
 *
 * Lines "NAME = VALUE", as `postconf -n`, `postconf NAME...`, `postconf -F` and `postconf -P` print them: a parameter of main.cf has
 * a plain name; "SERVICE/TYPE/FIELD" is a field of master.cf, "SERVICE/TYPE/PARAMETER" what "-o" sets there.
 * SERVICE below is "NAME/TYPE", such as "submission/inet".
 */
#ifndef CTL_POSTFIX_SETTINGS_H
#define CTL_POSTFIX_SETTINGS_H

#include "common/buf.h"

struct postfix_settings {
    struct postfix_setting {
        char *name, *value;
    } *setting; /* owned, in the order read */
    size_t count;
};

void postfix_settings_init(struct postfix_settings *settings);
void postfix_settings_free(struct postfix_settings *settings);

/* Adds what TEXT says; a later line counts more than an earlier one. False when it is too much, or there is no memory. */
bool postfix_settings_read(struct postfix_settings *settings, struct slice text);

const char *postfix_main(const struct postfix_settings *settings, const char *name); /* NULL when nothing is known of it */
const char *postfix_own(const struct postfix_settings *settings, const char *service, const char *name); /* in master.cf, or NULL */
/* What holds for SERVICE: its own, or main.cf's; "" when there is neither. */
const char *postfix_effective(const struct postfix_settings *settings, const char *service, const char *name);

/* The services in order: *AT is 0 for the first. A new text each time, which the caller frees; NULL behind the last. */
char *postfix_next_service(const struct postfix_settings *settings, size_t *at);

/* Is it what master.cf runs there? PROGRAM such as "smtpd". */
bool postfix_runs(const struct postfix_settings *settings, const char *service, const char *program);
bool postfix_chrooted(const struct postfix_settings *settings, const char *service);

/* Adds TEXT with each $name, ${name} and $(name) replaced by what it stands for; one that is not known stays. */
void postfix_expand(const struct postfix_settings *settings, const char *text, struct buf *out);

/* Is WORD among those of LIST, which commas or blanks part? */
bool postfix_list_has(const char *list, const char *word);

#endif
