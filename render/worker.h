/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker - the threads that take documents one after the other, as many at once as there are threads.
 *
 * Each has a database connection, waits there for NOTIFY and looks by itself every 30 s. While the database is away they wait.
 */
#ifndef RENDER_WORKER_H
#define RENDER_WORKER_H

#include "common/conf.h"
#include "render/sandbox.h"

struct workers;

/* After daemon_start() and as the user that converts. CONF and SANDBOX must live as long. NULL with ERROR. */
struct workers *workers_start(const struct conf *conf, const struct sandbox *sandbox, const char *program, struct buf *error);
/* Kills what runs and gives its documents back, within two seconds. NULL is fine. */
void workers_stop(struct workers *workers);

#endif
