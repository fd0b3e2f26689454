/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink - a sample event to a sink, and what the other side says.
 *
 * spoor-relay sends it, for it has the libraries; it stands beside this program, or in PATH.
 */

#include "ctl/command.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char relay[] = "spoor-relay";

static void run_beside(char *const *argv)
{
    char path[PATH_MAX + sizeof relay];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
    char *slash;

    if (len <= 0 || len >= PATH_MAX)
        return;
    path[len] = '\0';
    slash = strrchr(path, '/');
    memcpy(slash + 1, relay, sizeof relay);
    execv(path, argv);
}

int sink_command(const struct conf *conf, int argc, char **argv)
{
    char *const words[] = {(char *)(uintptr_t)relay, (char *)(uintptr_t)"sample", argc == 3 ? argv[2] : NULL, conf->path, NULL};

    if (argc != 3 || strcmp(argv[1], "test") != 0)
        return COMMAND_USAGE;
    run_beside(words);
    execvp(relay, words);
    fprintf(stderr, "spoorctl: cannot start %s: %s\n", relay, strerrordesc_np(errno));
    return COMMAND_FAILED;
}
