/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * account - the user that the daemons become, as far as the key file concerns it.
 */
#ifndef CTL_ACCOUNT_H
#define CTL_ACCOUNT_H

#include <stdbool.h>

/* Lets the group of USER read the file at PATH. False with errno; ENOENT also when there is no such user. */
bool account_admit(const char *user, const char *path);

/* Asked as root: could USER open the file for reading? Tries it, in a process of its own. */
bool account_reads(const char *user, const char *path);

#endif
