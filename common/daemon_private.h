/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon_private - what the two files of daemon.h share. */
#ifndef COMMON_DAEMON_PRIVATE_H
#define COMMON_DAEMON_PRIVATE_H

#include "common/daemon.h"

enum { DAEMON_NAME_MAX = 128 };

extern char daemon_name[DAEMON_NAME_MAX]; /* PROGRAM[-INSTANCE], for the log and the pid file; by daemon_configure() */

/* Logs which options have changed in the file since daemon_configure(). */
void daemon_tell_what_changed(void);
void daemon_forget_configuration(void);

#endif
