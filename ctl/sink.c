/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - a sample event to a sink, and what the other side says.
 *
 * spoor-relay sends it, for it has the libraries; it stands beside this program, or in PATH.
 */

#include "ctl/command.h"
#include "ctl/progress.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char relay[] = "spoor-relay";

static _Noreturn void run_relay(char *const *argv)
{
    char path[PATH_MAX + sizeof relay];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);

    if (len > 0 && len < PATH_MAX) {
        path[len] = '\0';
        memcpy(strrchr(path, '/') + 1, relay, sizeof relay);
        execv(path, argv);
    }
    execvp(relay, argv);
    fprintf(stderr, "spoorctl: cannot start %s: %s%s\n", relay, strerrordesc_np(errno),
            errno == ENOENT ? "; install it on this host, for it is what sends the sample" : "");
    _exit(COMMAND_FAILED);
}

int sink_command(const struct conf *conf, int argc, char **argv)
{
    char *const words[] = {(char *)(uintptr_t)relay, (char *)(uintptr_t)"sample", argc == 3 ? argv[2] : NULL, conf->path, NULL};
    int status;
    pid_t child;

    if (argc != 3 || strcmp(argv[1], "test") != 0)
        return COMMAND_USAGE;
    child = fork();
    if (child == 0)
        run_relay(words);
    progress_tell("waiting for what %s answers", argv[2]);
    if (child > 0 && waitpid(child, &status, 0) == child)
        return WIFEXITED(status) ? WEXITSTATUS(status) : COMMAND_FAILED;
    fprintf(stderr, "spoorctl: cannot start %s: %s\n", relay, strerrordesc_np(errno));
    return COMMAND_FAILED;
}
