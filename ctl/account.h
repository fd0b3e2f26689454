/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account - the users that the daemons become, and Postfix's, as far as files and sockets concern them.
 */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include <stdbool.h>

/* Lets the group of USER read the file at PATH. False with errno; ENOENT also when there is no such user. */
bool account_admit(const char *user, const char *path);

/* The same for a group by its name. */
bool account_admit_group(const char *group, const char *path);

bool account_exists(const char *user);

/*
 * As root: what WORK gives in a process that has become USER with all groups; its output goes where ours does. 0 to 255; -1 with
 * errno when there is no such process.
 */
int account_run(const char *user, int (*work)(void *arg), void *arg);

#endif
