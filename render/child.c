/* SPDX-License-Identifier: BSD-2-Clause */
/* child - see child.h */

#include "render/child.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCK = 64 * 1024, TICK_MS = 20000, FILES_MOST = 512, GRACE_S = 5, NICENESS = 10 };

struct child {
    pid_t pid;
    int pid_fd;
    int out, err;
    size_t words;
    int64_t tick_ms, quiet_since_ms;
    char block[BLOCK];
};

/* the new process, between fork() and exec(): only calls that are safe there */

static void limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
    const struct rlimit both = {soft, hard};

    if (setrlimit(what, &both) != 0)
        _exit(EXIT_FAILURE);
}

static void take_signals(void)
{
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    sigaction(SIGPIPE, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* When memory is short the kernel takes the converter and not its parent. */
static void die_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd >= 0 && write(fd, "1000", 4) < 0)
        return;
    if (fd >= 0)
        close(fd);
}

static void keep_descriptors(const struct child_order *order)
{
    if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0)
        _exit(EXIT_FAILURE);
    for (int at = 0; at < order->keep_count; at++)
        if (fcntl(order->keep[at], F_SETFD, 0) != 0)
            _exit(EXIT_FAILURE);
}

static _Noreturn void become_program(const struct child_order *order, int out, int err, pid_t parent)
{
    static char *const no_environment[] = {NULL};
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    rlim_t cpu = (rlim_t)order->cpu_s;

    if (setsid() < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || null < 0 ||
        dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
        _exit(EXIT_FAILURE);
    take_signals();
    die_first();
    keep_descriptors(order);
    setpriority(PRIO_PROCESS, 0, NICENESS);
    limit(RLIMIT_CPU, cpu, cpu + GRACE_S);
    limit(RLIMIT_AS, (rlim_t)order->memory, (rlim_t)order->memory);
    limit(RLIMIT_FSIZE, (rlim_t)order->file_size, (rlim_t)order->file_size);
    limit(RLIMIT_NOFILE, FILES_MOST, FILES_MOST);
    limit(RLIMIT_CORE, 0, 0);
    execve(order->argv[0], (char *const *)(uintptr_t)order->argv, no_environment);
    _exit(127); /* as a shell says it */
}

/* this process */

static void close_pair(int pair[2])
{
    if (pair[0] >= 0)
        close(pair[0]);
    if (pair[1] >= 0)
        close(pair[1]);
}

static bool start_with(struct child *child, const struct child_order *order, int out[2], int err[2])
{
    pid_t self = getpid();

    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return false;
    child->pid = fork();
    if (child->pid == 0)
        become_program(order, out[1], err[1], self);
    if (child->pid < 0)
        return false;
    child->pid_fd = pidfd_open(child->pid, 0);
    if (child->pid_fd >= 0 && fcntl(out[0], F_SETFL, O_NONBLOCK) == 0 && fcntl(err[0], F_SETFL, O_NONBLOCK) == 0)
        return true;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, NULL, 0);
    return false;
}

static bool start(struct child *child, const struct child_order *order)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};
    int failure;

    if (!start_with(child, order, out, err)) {
        failure = errno;
        close_pair(out);
        close_pair(err);
        errno = failure;
        return false;
    }
    close(out[1]);
    close(err[1]);
    child->out = out[0];
    child->err = err[0];
    return true;
}

/* What there is of its stdout; false when the consumer wants no more. */
static bool read_out(struct child *child, const struct child_order *order)
{
    ssize_t got;

    while (child->out >= 0 && (got = read(child->out, child->block, BLOCK)) != 0) {
        if (got < 0)
            return errno == EAGAIN || errno == EINTR;
        if (order->take && !order->take(order->arg, slice_of(child->block, (size_t)got)))
            return false;
        child->quiet_since_ms = clock_monotonic_ms();
    }
    if (child->out >= 0)
        close(child->out);
    child->out = -1;
    return true;
}

/* All is read, so that it never waits for us; the beginning is kept. */
static void read_err(struct child *child, struct child_result *result)
{
    ssize_t got;

    while (child->err >= 0 && (got = read(child->err, child->block, BLOCK)) != 0) {
        if (got < 0)
            return;
        for (ssize_t at = 0; at < got && child->words < CHILD_WORDS - 1; at++) {
            char c = child->block[at];

            result->words[child->words++] = (unsigned char)c < 0x20 || c == 0x7F ? ' ' : c;
        }
    }
    if (child->err >= 0)
        close(child->err);
    child->err = -1;
}

static int64_t earliest(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/* True when it is to be killed; RESULT says why. */
static bool is_enough(struct child *child, const struct child_order *order, struct child_result *result, bool stopping)
{
    int64_t now_ms = clock_monotonic_ms();

    if (stopping) {
        result->end = CHILD_STOPPED;
        return true;
    }
    if (now_ms >= earliest(order->until_ms, child->quiet_since_ms + order->quiet_ms)) {
        result->end = CHILD_LATE;
        return true;
    }
    if (now_ms < child->tick_ms)
        return false;
    child->tick_ms = now_ms + TICK_MS;
    result->end = CHILD_REFUSED;
    return order->tick && !order->tick(order->arg);
}

/* Until it has ended by itself; false when it is to be killed. */
static bool attend(struct child *child, const struct child_order *order, struct child_result *result)
{
    for (;;) {
        struct pollfd descriptors[] = {{.fd = child->pid_fd, .events = POLLIN}, {.fd = order->stop_fd, .events = POLLIN},
                                       {.fd = child->out, .events = POLLIN}, {.fd = child->err, .events = POLLIN}};
        int64_t until_ms = earliest(child->tick_ms, earliest(order->until_ms, child->quiet_since_ms + order->quiet_ms));
        int ready = poll(descriptors, 4, clock_left_ms(until_ms) + 1);
        bool ended = ready > 0 && descriptors[0].revents;

        if (!read_out(child, order)) {
            result->end = CHILD_REFUSED;
            return false;
        }
        read_err(child, result);
        if (ended)
            return true;
        if (is_enough(child, order, result, ready > 0 && descriptors[1].revents))
            return false;
    }
}

/* bubblewrap takes what is in it along; before it has got so far, all are in one group. */
static void reap(struct child *child, struct child_result *result, bool ended)
{
    int status = 0;

    if (!ended) {
        kill(-child->pid, SIGKILL);
        kill(child->pid, SIGKILL); /* it may be no group yet */
    }
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!ended)
        return;
    result->end = WIFSIGNALED(status) ? CHILD_SIGNALLED : CHILD_EXITED;
    result->code = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

void child_run(const struct child_order *order, struct child_result *result)
{
    struct child *child = calloc(1, sizeof *child);

    *result = (struct child_result){.end = CHILD_UNSTARTED, .code = ENOMEM};
    if (!child)
        return;
    if (start(child, order)) {
        child->quiet_since_ms = clock_monotonic_ms();
        child->tick_ms = child->quiet_since_ms + TICK_MS;
        result->code = 0;
        reap(child, result, attend(child, order, result));
        close(child->pid_fd);
        if (child->out >= 0)
            close(child->out);
        if (child->err >= 0)
            close(child->err);
    } else {
        result->code = errno;
    }
    free(child);
}
