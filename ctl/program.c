/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/program.h"

#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static bool spawn(char **argv, int output, int errors, pid_t *child)
{
    posix_spawn_file_actions_t actions;
    int failed;

    if (posix_spawn_file_actions_init(&actions) != 0)
        return false;
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
    failed = posix_spawnp(child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    errno = failed;
    return failed == 0;
}

/* What FD, a file in memory, holds. */
static bool read_all(int fd, struct buf *out)
{
    char bytes[16 * 1024];
    ssize_t got;

    if (lseek(fd, 0, SEEK_SET) != 0)
        return false;
    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        buf_add(out, bytes, (size_t)got);
    return got == 0 && !out->failed;
}

static enum program_end run(char **argv, int output, int errors, struct buf *out)
{
    int status = 0;
    pid_t child;

    if (output < 0 || errors < 0 || !spawn(argv, output, errors, &child))
        return PROGRAM_NOT_STARTED;
    if (waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0 && read_all(output, out))
        return PROGRAM_GOOD;
    buf_reset(out);
    read_all(errors, out);
    return PROGRAM_FAILED;
}

enum program_end program_run(const char *const *argv, struct buf *output)
{
    int said = memfd_create("output", MFD_CLOEXEC), errors = memfd_create("errors", MFD_CLOEXEC);
    enum program_end end = run((char **)(uintptr_t)argv, said, errors, output);
    int why = errno;

    if (said >= 0)
        close(said);
    if (errors >= 0)
        close(errors);
    errno = why;
    return end;
}
