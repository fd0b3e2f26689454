/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follower - the thread that reads the logs, spools what they say of our mails and keeps its place.
 *
 * A bookmark is written only when everything before it is in the spool and on the disk: after a crash lines are read
 * twice, never left out. Every few seconds it has the database match what waits there, for a mail's own row may come
 * later than its deliveries.
 */
#ifndef DELIVERY_FOLLOWER_H
#define DELIVERY_FOLLOWER_H

#include "common/conf.h"
#include "common/recorder.h"

struct follower;

/* CONF and RECORDER must live as long. After daemon_start(). NULL with ERROR. */
struct follower *follower_start(const struct conf *conf, struct recorder *recorder, struct buf *error);
/*
 * Reads what has just come, about a megabyte, then ends; the rest is for the next start. Logs how much it has followed.
 * NULL is fine.
 */
void follower_stop(struct follower *follower);

#endif
