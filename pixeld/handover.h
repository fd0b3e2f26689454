/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * handover - listening sockets from whoever had them before us, and to whoever comes after.
 *
 * From systemd they come as sd_listen_fds(3) says: LISTEN_FDS of them from descriptor 3 on, for the process LISTEN_PID.
 * A predecessor of ours hands them over the same way, but says with SPOOR_PREDECESSOR who it is itself: it cannot know
 * the pid of a child that it has not made yet. The successor ends it as soon as it knows that it can take its place;
 * until then nothing has changed. New connections wait in the sockets meanwhile.
 */
#ifndef PIXELD_HANDOVER_H
#define PIXELD_HANDOVER_H

#include "common/buf.h"
#include "common/daemon.h"
#include "pixeld/listen.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct handover {
    struct listen_inherited inherited;
    pid_t predecessor; /* 0: none that is to be ended */
};

/* Before anything else is opened and before the process forks. Takes the words out of the environment. */
struct handover handover_take(void);

/*
 * Asks the predecessor to end, and waits until it has let go its spool in DIRECTORY. False with ERROR when we could not use that
 * ourselves, and then the predecessor goes on, or when it has not ended within MOST_MS.
 */
bool handover_take_over(const struct handover *handover, const char *directory, int64_t most_ms, struct buf *error);

/* Starts this program anew with the sockets of both lists; its pid, or -1 with ERROR. */
pid_t handover_start(const struct daemon_options *options, const struct listeners *doors, const struct listeners *admin,
                     struct buf *error);
/* False also for one that has failed. */
bool handover_is_alive(pid_t successor);

#endif
