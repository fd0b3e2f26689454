/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon - the process: detaching, the second one, privileges, signals, the pid file. See daemon.h */

#include "common/daemon_private.h"

#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PASSWD_MAX = 16 * 1024 };

static char pid_path[PATH_MAX];      /* "" while there is none */
static bool takes_upgrade;
static int parent_pipe = -1;         /* a byte into it means "ready" */

static struct {
    pid_t first;   /* in the second process, else 0 */
    pid_t second;  /* in the first, else 0; also once it is gone */
    int readiness; /* in the first: from where its byte comes */
    bool failed;   /* it ended badly */
} pair = {.readiness = -1};

static sigset_t our_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    if (takes_upgrade)
        sigaddset(&signals, SIGUSR2);
    return signals;
}

static _Noreturn void start_failed(const char *what)
{
    log_err("cannot start: %s: %m", what);
    daemon_fail();
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
        log_warn("cannot raise the limit of open files: %m");
}

/* The parent's whole rest of life. */
static _Noreturn void wait_until_ready(int from_child, const char *program)
{
    char byte;
    ssize_t got;

    do
        got = read(from_child, &byte, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        fprintf(stderr, "%s: did not start; the log says why\n", program);
    _exit(got == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

static bool to_null(int fd)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool done = null >= 0 && dup2(null, fd) == fd;

    if (null > STDERR_FILENO)
        close(null);
    return done;
}

/* stderr stays until all is well, for what libraries say there, and so that the starter sees why it is not. */
static void detach(const char *program)
{
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        start_failed("pipe");
    pid = fork();
    if (pid < 0)
        start_failed("fork");
    if (pid > 0) {
        close(ends[1]);
        wait_until_ready(ends[0], program);
    }
    close(ends[0]);
    parent_pipe = ends[1];
    if (setsid() < 0)
        start_failed("setsid");
    if (chdir("/") != 0)
        start_failed("chdir");
    if (!to_null(STDIN_FILENO) || !to_null(STDOUT_FILENO))
        start_failed("/dev/null");
    log_echo_errors(true);
}

void daemon_start(const struct daemon_options *options)
{
    sigset_t signals;

    takes_upgrade = options->upgrades;
    signals = our_signals();
    errno = pthread_sigmask(SIG_BLOCK, &signals, NULL);
    if (errno != 0)
        start_failed("signals");
    signal(SIGPIPE, SIG_IGN);
    umask(0027);
    raise_file_limit();
    if (!options->foreground)
        detach(options->program);
}

/* The second process must not outlive the first, whose successor wants its socket and spool. */
static void die_with_first(void)
{
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != pair.first)
        daemon_fail();
}

static void be_second(pid_t first, int readiness)
{
    if (parent_pipe >= 0)
        close(parent_pipe); /* of whoever started the first, which answers there for both */
    pair.first = first;
    parent_pipe = readiness;
    die_with_first();
}

bool daemon_fork(void)
{
    pid_t self = getpid();
    sigset_t child;
    int ends[2];

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    errno = pthread_sigmask(SIG_BLOCK, &child, NULL);
    if (errno != 0 || pipe2(ends, O_CLOEXEC) != 0)
        start_failed("a second process");
    pair.second = fork();
    if (pair.second < 0)
        start_failed("a second process");
    if (pair.second > 0) {
        close(ends[1]);
        pair.readiness = ends[0];
        return false;
    }
    close(ends[0]);
    be_second(self, ends[1]);
    return true;
}

static void wait_for_second(void)
{
    char byte;
    ssize_t got;

    do
        got = read(pair.readiness, &byte, 1);
    while (got < 0 && errno == EINTR);
    close(pair.readiness);
    if (got != 1)
        daemon_fail(); /* it has said why */
}

/* HOME too: libpq looks there for certificates, and fails when it may not look. */
static bool become(const struct passwd *user)
{
    if (setenv("HOME", user->pw_dir, 1) != 0 || initgroups(user->pw_name, user->pw_gid) != 0 ||
        setresgid(user->pw_gid, user->pw_gid, user->pw_gid) != 0 ||
        setresuid(user->pw_uid, user->pw_uid, user->pw_uid) != 0)
        return false;
    if (setuid(0) != 0 && geteuid() == user->pw_uid && getegid() == user->pw_gid)
        return true;
    errno = EPERM;
    return false;
}

bool daemon_drop_privileges(const struct conf *conf)
{
    struct passwd entry, *user = NULL;
    char text[PASSWD_MAX];
    int failed;

    if (geteuid() != 0)
        return true;
    if (*conf->user == '\0') {
        log_warn("running as root, for `user` is not set");
        return true;
    }
    failed = getpwnam_r(conf->user, &entry, text, sizeof text, &user);
    if (!user) {
        log_err("cannot become user \"%s\": %s", conf->user, failed ? strerrordesc_np(failed) : "no such user");
        return false;
    }
    if (user->pw_uid == 0 || become(user))
        return true;
    log_err("cannot become user \"%s\": %m", conf->user);
    return false;
}

static bool write_pid_file(const char *directory)
{
    int fd, written;

    if ((size_t)snprintf(pid_path, sizeof pid_path, "%s/%s.pid", directory, daemon_name) >= sizeof pid_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    fd = open(pid_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    written = dprintf(fd, "%ld\n", (long)getpid());
    return close(fd) == 0 && written > 0;
}

static void tell_parent(void)
{
    if (write(parent_pipe, "", 1) != 1)
        log_warn("cannot tell the starting process that all is well: %m");
    close(parent_pipe);
    parent_pipe = -1;
}

void daemon_ready(const struct conf *conf, const struct daemon_options *options)
{
    if (pair.first)
        die_with_first(); /* again, for a change of the user takes it back */
    if (pair.second)
        wait_for_second();
    if (!pair.first && *conf->pid_directory && !write_pid_file(conf->pid_directory)) {
        log_err("cannot write the pid file \"%s\": %m", pid_path);
        *pid_path = '\0';
        daemon_fail();
    }
    if (parent_pipe >= 0)
        tell_parent();
    if (!options->foreground) {
        log_echo_errors(false);
        to_null(STDERR_FILENO);
    }
    log_notice(pair.first ? "ready for copies" : "ready");
}

static void remove_pid_file(void)
{
    if (*pid_path)
        unlink(pid_path);
    *pid_path = '\0';
}

void daemon_leave_pid_file(void)
{
    *pid_path = '\0';
}

void daemon_fail(void)
{
    remove_pid_file();
    exit(EXIT_FAILURE);
}

void daemon_fail_with(const struct buf *reason)
{
    log_err("%s", reason->len ? buf_text(reason) : "out of memory");
    daemon_fail();
}

/* True once it has ended; its exit status is looked at once. OPTIONS as for waitpid(). */
static bool reap_second(int options)
{
    int status = 0;
    pid_t ended;

    do
        ended = waitpid(pair.second, &status, options);
    while (ended < 0 && errno == EINTR);
    if (ended == 0)
        return false;
    pair.second = 0;
    pair.failed = !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS;
    if (pair.failed)
        log_err("the second process ended %s %d", WIFSIGNALED(status) ? "by signal" : "with status",
                WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return true;
}

enum daemon_signal daemon_wait_signal(void)
{
    sigset_t signals = our_signals();
    int number;

    if (pair.second)
        sigaddset(&signals, SIGCHLD);
    do {
        number = sigwaitinfo(&signals, NULL); /* not sigwait(): milter/mlfi.c has its own */
    } while (number < 0 || (number == SIGCHLD && !reap_second(WNOHANG))); /* a child that is halted makes SIGCHLD too */
    if (number == SIGCHLD) {
        log_notice("one of two processes has ended: the other ends too, so that both are started again");
    } else if (pair.second) {
        kill(pair.second, number);
    }
    if (number == SIGHUP && !pair.first)
        daemon_tell_what_changed();
    return number == SIGHUP ? DAEMON_RELOAD : number == SIGUSR2 ? DAEMON_UPGRADE : DAEMON_STOP;
}

int daemon_end(void)
{
    if (pair.second)
        reap_second(0);
    remove_pid_file();
    log_notice("stopped");
    log_close();
    daemon_forget_configuration();
    return pair.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
