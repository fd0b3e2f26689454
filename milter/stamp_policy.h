/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stamp_policy - the policy that holds now in a process of spoor-stamp: at a start the one kept beside the spool, then the
 * database's, again whenever it changes there.
 *
 * A file that is there and cannot be used means that nobody knows who wants no tracking: until the database has told, no mail
 * is tracked. Without a file nothing has been said of anybody.
 *
 * Has a thread and a connection of its own. Logs what an administrator must know.
 */
#ifndef MILTER_STAMP_POLICY_H
#define MILTER_STAMP_POLICY_H

#include "common/buf.h"
#include "common/policy.h"

struct stamp_policy;

/* DIRECTORY is the spool's; after daemon_start(). NULL with ERROR. */
struct stamp_policy *stamp_policy_start(const char *conninfo, const char *directory, struct buf *error);
void stamp_policy_stop(struct stamp_policy *keeper); /* NULL is fine */

/* From any thread; let it go with policy_let_go(). */
struct policy *stamp_policy_take(struct stamp_policy *keeper);

#endif
