/* SPDX-License-Identifier: BSD-2-Clause */
/* handover - see handover.h */

#include "pixeld/handover.h"

#include "common/log.h"
#include "common/spool_await.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIRST_FD = 3, WORD_BYTES = 48 };

static const char fds_name[] = "LISTEN_FDS", pid_name[] = "LISTEN_PID", names_name[] = "LISTEN_FDNAMES";
static const char predecessor_name[] = "SPOOR_PREDECESSOR";

/* A number of the environment, from 1 to MOST; else 0. */
static long number_of(const char *name, long most)
{
    const char *text = getenv(name);
    char *end;
    long number;

    if (text == NULL)
        return 0;
    errno = 0;
    number = strtol(text, &end, 10);
    return errno == 0 && end > text && *end == '\0' && number >= 1 && number <= most ? number : 0;
}

struct handover handover_take(void)
{
    struct handover handover = {.predecessor = (pid_t)number_of(predecessor_name, INT_MAX)};
    long count = number_of(fds_name, 2 * LISTEN_MAX);

    if (handover.predecessor == 0 && number_of(pid_name, INT_MAX) != getpid())
        count = 0; /* meant for another process */
    if (handover.predecessor != getppid())
        handover.predecessor = 0; /* it has died: its sockets are all the more ours */
    for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++)
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) == 0)
            handover.inherited.fd[handover.inherited.count++] = fd;
    for (size_t n = 0; n < handover.inherited.count; n++) {
        int flags = fcntl(handover.inherited.fd[n], F_GETFL);

        fcntl(handover.inherited.fd[n], F_SETFL, flags | O_NONBLOCK);
    }
    unsetenv(fds_name);
    unsetenv(pid_name);
    unsetenv(names_name);
    unsetenv(predecessor_name);
    return handover;
}

bool handover_take_over(const struct handover *handover, const char *directory, int64_t most_ms, struct buf *error)
{
    if (access(directory, R_OK | W_OK | X_OK) != 0) {
        buf_add_f(error, "cannot take over: %s: %s", directory, strerrordesc_np(errno));
        return false;
    }
    log_notice("taking over from process %ld", (long)handover->predecessor);
    kill(handover->predecessor, SIGTERM);
    if (spool_await(directory, most_ms))
        return true;
    buf_add_f(error, "the process before this one still has %s after %lld ms", directory, (long long)most_ms);
    return false;
}

/* What the child needs is made before the fork: other threads may hold the allocator's locks then. */
struct starting {
    int fd[2 * LISTEN_MAX];
    int count;
    char fds_word[WORD_BYTES];
    char predecessor_word[WORD_BYTES];
    char **environment;
};

static void add_sockets(struct starting *starting, const struct listeners *listeners)
{
    for (size_t n = 0; n < listeners->count; n++)
        starting->fd[starting->count++] = listeners->item[n].fd;
}

static bool prepare(struct starting *starting)
{
    size_t count = 0;

    while (environ[count])
        count++;
    starting->environment = calloc(count + 3, sizeof *starting->environment);
    if (starting->environment == NULL)
        return false;
    memcpy(starting->environment, environ, count * sizeof *environ);
    snprintf(starting->fds_word, WORD_BYTES, "%s=%d", fds_name, starting->count);
    snprintf(starting->predecessor_word, WORD_BYTES, "%s=%ld", predecessor_name, (long)getpid());
    starting->environment[count++] = starting->fds_word;
    starting->environment[count++] = starting->predecessor_word;
    return true;
}

/* First out of the way, then down to 3, 4, ...: a socket may stand where another has to go. */
static _Noreturn void become_successor(struct starting *starting, char *const *argv)
{
    for (int n = 0; n < starting->count; n++)
        starting->fd[n] = fcntl(starting->fd[n], F_DUPFD_CLOEXEC, FIRST_FD + 2 * LISTEN_MAX);
    for (int n = 0; n < starting->count; n++)
        if (dup2(starting->fd[n], FIRST_FD + n) < 0)
            _exit(EXIT_FAILURE);
    close_range((unsigned)(FIRST_FD + starting->count), UINT_MAX, 0);
    execvpe(argv[0], argv, starting->environment);
    _exit(EXIT_FAILURE);
}

pid_t handover_start(const struct daemon_options *options, const struct listeners *doors, const struct listeners *admin,
                     struct buf *error)
{
    char *argv[] = {(char *)(uintptr_t)options->executable, "-c", (char *)(uintptr_t)options->config_path,
                    options->foreground ? "-f" : NULL, NULL};
    struct starting starting = {.count = 0};
    pid_t pid;

    add_sockets(&starting, doors);
    add_sockets(&starting, admin);
    if (!prepare(&starting)) {
        buf_add_str(error, "out of memory");
        return -1;
    }
    pid = fork();
    if (pid == 0)
        become_successor(&starting, argv);
    if (pid < 0)
        buf_add_f(error, "cannot start another process: %s", strerrordesc_np(errno));
    free(starting.environment);
    return pid;
}

bool handover_is_alive(pid_t successor)
{
    return successor > 0 && waitpid(successor, NULL, WNOHANG) == 0;
}
