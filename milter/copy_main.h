/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * copy_main - the second process of spoor-stamp, which edits each copy of a mail for its recipient.
 *
 * A process of its own, for libmilter serves one socket a process, and a spool has one writer; its spool is `copies`
 * beside `stamp`.
 */
#ifndef MILTER_COPY_MAIN_H
#define MILTER_COPY_MAIN_H

#include "common/daemon.h"

/* From behind daemon_fork() to the end; gives the exit status. CONF and OPTIONS stay the caller's. */
int copy_main(struct conf *conf, const struct daemon_options *options);

#endif
