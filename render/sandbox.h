/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sandbox - runs a shell script over foreign files where it can reach nothing: bubblewrap with namespaces of its own for
 * everything, no capability, no network, a seccomp filter, a read-only root that holds the programs and fonts, and two small
 * file systems in memory, /tmp and /home. The only user of libseccomp.
 *
 * There is no way to run anything without it.
 */
#ifndef RENDER_SANDBOX_H
#define RENDER_SANDBOX_H

#include "common/buf.h"
#include "render/child.h"

struct sandbox; /* not changed once made: for all threads */

struct sandbox *sandbox_new(struct buf *error);
void sandbox_free(struct sandbox *sandbox);

enum { SANDBOX_FILES = 2, SANDBOX_ARGUMENTS = 1024 };

struct sandbox_file {
    int fd;           /* its bytes from the start; see memory_file.h */
    const char *path; /* in the sandbox */
    bool writable;    /* below /tmp or /home */
};

struct sandbox_task {
    const char *script;
    const char *const *arguments; /* $1 and so on, NULL at the end; or NULL */
    struct sandbox_file file[SANDBOX_FILES];
    int files;
};

/* ORDER's argv and keep are set here. */
void sandbox_run(const struct sandbox *sandbox, const struct sandbox_task *task, struct child_order *order,
                 struct child_result *result);

/* Can it be entered, and does it hold? Not when STOP_FD has become readable. RESULT has why not. */
bool sandbox_works(const struct sandbox *sandbox, int stop_fd, struct child_result *result);

#endif
