/* SPDX-License-Identifier: BSD-2-Clause */
/* daemon - see daemon.h */

#include "common/daemon.h"

#include "common/conninfo.h"
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
#include <sysexits.h>
#include <unistd.h>

enum { NAME_MAX_BYTES = 128, ERROR_MAX = 4096, PASSWD_MAX = 16 * 1024, CONNINFO_MAX = 16 * 1024 };

static char name[NAME_MAX_BYTES];    /* PROGRAM[-INSTANCE], for the log and the pid file */
static char config_path[PATH_MAX];
static char pid_path[PATH_MAX];      /* "" while there is none */
static char executable[PATH_MAX];
static struct conf *at_start;        /* what the file said then; the program has a copy of its own, which it may change */
static bool takes_upgrade;
static int parent_pipe = -1;         /* a byte into it means "ready" */

static struct {
    pid_t first;   /* in the second process, else 0 */
    pid_t second;  /* in the first, else 0; also once it is gone */
    int readiness; /* in the first: from where its byte comes */
    bool failed;   /* it ended badly */
} pair = {.readiness = -1};

static _Noreturn void usage(const char *program, FILE *out, int status)
{
    fprintf(out, "usage: %s [-f] [-t | -T] [-c FILE]\n", program);
    if (status == EX_OK)
        fputs("  -f       stay in the foreground, log to stderr\n"
              "  -c FILE  read FILE instead of " SYSCONFDIR "/spoor/spoor.conf\n"
              "  -t       check the configuration\n"
              "  -T       print every option with the value in effect\n"
              "  -V       print the version\n", out);
    exit(status);
}

static void set_config_path(const char *path)
{
    /* A reload comes after chdir("/"). Where the file is not there, conf_load() says so. */
    if (!realpath(path, config_path))
        snprintf(config_path, sizeof config_path, "%s", path);
}

static void set_executable(const char *given)
{
    char here[PATH_MAX / 2] = "";
    bool relative = given[0] != '/' && strchr(given, '/') != NULL;

    if (relative && getcwd(here, sizeof here))
        snprintf(executable, sizeof executable, "%s/%s", here, given);
    else
        snprintf(executable, sizeof executable, "%s", given);
}

struct daemon_options daemon_options(const char *program, int argc, char **argv)
{
    struct daemon_options options = {.program = program, .config_path = config_path, .executable = executable};
    const char *path = SYSCONFDIR "/spoor/spoor.conf";
    int option;

    while ((option = getopt(argc, argv, "fc:tThV")) != -1) {
        switch (option) {
        case 'f': options.foreground = true; break;
        case 'c': path = optarg; break;
        case 't': options.check = true; break;
        case 'T': options.print = true; break;
        case 'h': usage(program, stdout, EX_OK);
        case 'V': printf("%s %s\n", program, PACKAGE_VERSION); exit(EX_OK);
        default: usage(program, stderr, EX_USAGE);
        }
    }
    if (optind < argc)
        usage(program, stderr, EX_USAGE);
    set_config_path(path);
    set_executable(argv[0]);
    return options;
}

static bool is_fit(const struct conf *conf, const struct daemon_options *options)
{
    struct buf warning, error;
    bool fit;

    if (!options->examine)
        return true;
    buf_init(&warning, ERROR_MAX);
    buf_init(&error, ERROR_MAX);
    fit = options->examine(conf, &warning, &error);
    fputs(buf_text(&warning), stderr);
    if (!fit)
        fprintf(stderr, "%s: %s\n", options->program, buf_text(&error));
    buf_free(&warning);
    buf_free(&error);
    return fit;
}

static _Noreturn void print_and_exit(struct conf *conf, const struct daemon_options *options)
{
    bool fit = options->print || is_fit(conf, options);
    bool written;

    if (options->print)
        conf_print(conf, stdout);
    else if (fit)
        printf("%s: the configuration is good\n", conf->path);
    conf_free(conf);
    written = fflush(stdout) == 0 && !ferror(stdout);
    exit(!written ? EX_IOERR : fit ? EX_OK : EX_CONFIG);
}

static const char *role_of(enum conf_part part)
{
    switch (part) {
    case CONF_PIXELD: return "spoor_pixeld";
    case CONF_DELIVERY: return "spoor_delivery";
    case CONF_RELAY: return "spoor_relay";
    case CONF_RENDER: return "spoor_render";
    default: return "spoor_milter";
    }
}

/* The schema comes with a role a kind of daemon: who says nothing connects as that one. */
static bool choose_role(struct conf *conf, enum conf_part part)
{
    struct buf text;
    char *chosen;

    if (getenv("PGUSER") || getenv("PGSERVICE"))
        return true;
    buf_init(&text, CONNINFO_MAX);
    conninfo_add_with_role(&text, conf->database, role_of(part));
    chosen = text.failed ? NULL : strdup(buf_text(&text));
    buf_free(&text);
    if (!chosen)
        return false;
    free(conf->database);
    conf->database = chosen;
    return true;
}

/* Converters get a user of their own, who then has nothing of the other daemons. */
static bool choose_user(struct conf *conf, enum conf_part part)
{
    char *chosen;

    if (part != CONF_RENDER || !*conf->render.user)
        return true;
    chosen = strdup(conf->render.user);
    if (!chosen)
        return false;
    free(conf->user);
    conf->user = chosen;
    return true;
}

struct conf *daemon_configure(const struct daemon_options *options, enum conf_part part)
{
    struct conf *conf;
    struct buf error;

    buf_init(&error, ERROR_MAX);
    conf = conf_load(options->config_path, part, &error);
    conf_free(at_start);
    at_start = conf ? conf_load(options->config_path, part, &error) : NULL;
    if (!conf || !at_start) {
        fprintf(stderr, "%s: %s\n", options->program, buf_text(&error));
        buf_free(&error);
        exit(EX_CONFIG);
    }
    buf_free(&error);
    if (options->check || options->print)
        print_and_exit(conf, options);
    if (!choose_role(conf, part) || !choose_user(conf, part)) {
        fprintf(stderr, "%s: `database` is too long, or out of memory\n", options->program);
        exit(EX_CONFIG);
    }
    snprintf(name, sizeof name, "%s%s%s", options->program, *conf->instance ? "-" : "", conf->instance);
    log_open(name, options->foreground);
    log_set_level((int)conf->log_level);
    return conf;
}

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

static bool become(const struct passwd *user)
{
    if (initgroups(user->pw_name, user->pw_gid) != 0 ||
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

    if ((size_t)snprintf(pid_path, sizeof pid_path, "%s/%s.pid", directory, name) >= sizeof pid_path) {
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

/* A reload takes few things anew. Whoever has edited more, or has made a mistake, should not learn it from the next start. */
static void tell_what_changed(void)
{
    struct buf error, names;
    struct conf *now;

    buf_init(&error, ERROR_MAX);
    buf_init(&names, ERROR_MAX);
    now = conf_load(config_path, CONF_ANY, &error);
    if (now)
        conf_add_changed(at_start, now, &names);
    else
        log_warn("cannot tell what has changed in the configuration: %s", buf_text(&error));
    if (names.len)
        log_notice("changed in the configuration since the start, and in effect after the next: %s", buf_text(&names));
    conf_free(now);
    buf_free(&names);
    buf_free(&error);
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
        tell_what_changed();
    return number == SIGHUP ? DAEMON_RELOAD : number == SIGUSR2 ? DAEMON_UPGRADE : DAEMON_STOP;
}

int daemon_end(void)
{
    if (pair.second)
        reap_second(0);
    remove_pid_file();
    log_notice("stopped");
    log_close();
    conf_free(at_start);
    at_start = NULL;
    return pair.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
