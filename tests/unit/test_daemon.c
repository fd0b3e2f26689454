/* SPDX-License-Identifier: BSD-2-Clause */
/* a daemon's life: options, detaching with the start's result, signals, pid file, privileges */

#include "common/daemon.h"
#include "common/log.h"

#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char config[128];

static void write_config(const char *more)
{
    FILE *file = fopen(config, "w");

    assert_non_null(file);
    fprintf(file, "tracking_url = \"https://t.example\"\ninstance = one\npid_directory = \"%s\"\n%s", folder, more);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/spoor-daemon-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(config, sizeof config, "%s/spoor.conf", folder);
    write_config("");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(config);
    return rmdir(folder);
}

/* Runs PART in a child whose stdout and stderr go to TEXT; the exit status. */
static int run(void (*part)(void), char *text, size_t size)
{
    int ends[2], status = 0;
    size_t len = 0;
    ssize_t got;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        close(ends[1]);
        part();
        _exit(99);
    }
    close(ends[1]);
    while ((got = read(ends[0], text + len, size - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static struct daemon_options options_of(const char *first, const char *second, const char *third)
{
    static char words[4][200]; /* getopt() wants them writable, and the options point into them */
    const char *const given[] = {"spoor-test", first, second, third};
    char *argv[5] = {NULL};
    int argc = 0;

    for (; argc < 4 && given[argc]; argc++) {
        snprintf(words[argc], sizeof words[argc], "%s", given[argc]);
        argv[argc] = words[argc];
    }
    optind = 1;
    return daemon_options("spoor-test", argc, argv);
}

static void no_such_option(void)
{
    options_of("-x", NULL, NULL);
}

static void a_word_too_many(void)
{
    options_of("-f", "word", NULL);
}

static void help(void)
{
    options_of("-h", NULL, NULL);
}

static void check(void)
{
    struct daemon_options options = options_of("-t", "-c", config);

    daemon_configure(&options, CONF_DRY_RUN);
}

static void print(void)
{
    struct daemon_options options = options_of("-T", "-c", config);

    daemon_configure(&options, CONF_DRY_RUN);
}

/* As "spoor-test 0<&- 1<&- 2<&-": what the program opens first must be none of these. */
static void start_without_descriptors(void)
{
    int kept = fcntl(STDOUT_FILENO, F_DUPFD, 10), first;

    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        close(fd);
    options_of("-c", config, NULL);
    first = open("/dev/null", O_RDONLY);
    dprintf(kept, "%s", first > STDERR_FILENO ? "above" : "one of the three");
    _exit(0);
}

static void closed_descriptors_are_filled(void **state)
{
    char text[100];

    (void)state;
    assert_int_equal(run(start_without_descriptors, text, sizeof text), 0);
    assert_string_equal(text, "above");
}

static void options_are_read_or_refused(void **state)
{
    char text[20000];

    (void)state;
    assert_int_equal(run(no_such_option, text, sizeof text), 64);
    assert_non_null(strstr(text, "usage: spoor-test"));
    assert_int_equal(run(a_word_too_many, text, sizeof text), 64);
    assert_int_equal(run(help, text, sizeof text), 0);
    assert_non_null(strstr(text, "-c FILE"));
}

static void the_configuration_is_checked_and_printed(void **state)
{
    char text[20000], want[200];

    (void)state;
    assert_int_equal(run(check, text, sizeof text), 0);
    assert_int_equal(run(print, text, sizeof text), 0);
    assert_non_null(strstr(text, "\ninstance = \"one\"\n"));
    write_config("bogus = 1\n");
    assert_int_equal(run(check, text, sizeof text), 78);
    snprintf(want, sizeof want, "spoor-test: %s:4: no such option 'bogus'\n", config);
    assert_string_equal(text, want);
}

/* Loads as a daemon does, but logs to stderr, where the test can see it. */
static struct conf *start_in_background(struct daemon_options *options)
{
    struct conf *conf;

    *options = options_of("-c", config, NULL);
    conf = daemon_configure(options, CONF_DRY_RUN);
    log_open("spoor-test", true);
    daemon_start(options);
    return conf;
}

static void fail_to_start(void)
{
    struct daemon_options options;

    start_in_background(&options);
    log_err("cannot listen");
    daemon_fail();
}

/* As a daemon is: with syslog. */
static void fail_to_start_with_syslog(void)
{
    struct daemon_options options = options_of("-c", config, NULL);

    daemon_configure(&options, CONF_DRY_RUN);
    daemon_start(&options);
    log_err("cannot listen on %s", "192.0.2.1:25");
    daemon_fail();
}

static void crash_at_start(void)
{
    struct daemon_options options;

    start_in_background(&options);
    signal(SIGKILL, SIG_DFL);
    raise(SIGKILL);
}

static void the_starter_learns_that_it_failed(void **state)
{
    char text[2000];

    (void)state;
    assert_int_equal(run(fail_to_start, text, sizeof text), 1);
    assert_non_null(strstr(text, "error: cannot listen"));
    assert_int_equal(run(fail_to_start_with_syslog, text, sizeof text), 1);
    assert_non_null(strstr(text, "spoor-test-one: error: cannot listen on 192.0.2.1:25"));
    assert_int_equal(run(crash_at_start, text, sizeof text), 1);
    assert_non_null(strstr(text, "did not start"));
}

static int told; /* the daemon writes here what it saw; the test reads until it is gone */

static void tell(const char *what)
{
    if (write(told, what, strlen(what)) < 0)
        _exit(98);
}

static void live(void)
{
    struct daemon_options options;
    struct conf *conf = start_in_background(&options);

    daemon_ready(conf, &options);
    tell(getsid(0) == getpid() ? "leader " : "no leader ");
    while (daemon_wait_signal() == DAEMON_RELOAD) {
        struct conf *again = daemon_configure(&options, CONF_DRY_RUN);

        tell(again ? "reload " : "no reload ");
        conf_free(again);
    }
    daemon_end();
    tell("stop");
    conf_free(conf);
    exit(0);
}

/* The file is edited while it runs, then broken. */
static void be_told_of_edits(void)
{
    struct daemon_options options = options_of("-f", "-c", config);
    struct conf *conf = daemon_configure(&options, CONF_DRY_RUN);
    static const char *const edits[] = {"", "mode = observe\nlog_level = debug\n", "bogus = 1\n"};

    daemon_start(&options);
    for (size_t n = 0; n < sizeof edits / sizeof *edits; n++) {
        write_config(edits[n]);
        kill(getpid(), SIGHUP);
        if (daemon_wait_signal() != DAEMON_RELOAD)
            _exit(97);
    }
    conf_free(conf);
    exit(daemon_end());
}

static void edits_that_wait_for_the_next_start_are_named(void **state)
{
    char text[2000], want[1000];

    (void)state;
    assert_int_equal(run(be_told_of_edits, text, sizeof text), 0);
    snprintf(want, sizeof want,
             "spoor-test-one: notice: changed in the configuration since the start, and in effect after the next: log_level, mode\n"
             "spoor-test-one: warning: cannot tell what has changed in the configuration: %s:4: no such option 'bogus'\n"
             "spoor-test-one: notice: stopped\n", config);
    assert_string_equal(text, want);
    write_config("");
}

static pid_t pid_in_file(const char *path)
{
    FILE *file = fopen(path, "r");
    long pid = 0;

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%ld", &pid), 1);
    fclose(file);
    return (pid_t)pid;
}

static void expect_told(int from, const char *want)
{
    char text[100] = "";

    for (size_t len = 0; len < strlen(want);) {
        ssize_t got = read(from, text + len, strlen(want) - len);

        assert_true(got > 0);
        len += (size_t)got;
    }
    assert_string_equal(text, want);
}

static void a_daemon_starts_reloads_and_stops(void **state)
{
    char text[2000], pid_file[200], byte;
    int ends[2];
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    told = ends[1];
    assert_int_equal(run(live, text, sizeof text), 0);
    close(ends[1]);
    snprintf(pid_file, sizeof pid_file, "%s/spoor-test-one.pid", folder);
    pid = pid_in_file(pid_file);
    expect_told(ends[0], "leader ");
    assert_int_equal(kill(pid, SIGHUP), 0);
    expect_told(ends[0], "reload ");
    assert_int_equal(kill(pid, SIGTERM), 0);
    expect_told(ends[0], "stop");
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    assert_int_equal(access(pid_file, F_OK), -1);
}

static void tell_number(pid_t pid)
{
    char text[20];

    snprintf(text, sizeof text, "%09ld ", (long)pid);
    tell(text);
}

/* What either does is told, so that the test sees both. */
static void live_as_two(void)
{
    struct daemon_options options;
    struct conf *conf = start_in_background(&options);
    bool second = daemon_fork();
    int status;

    if (second)
        tell_number(getpid());
    daemon_ready(conf, &options);
    if (!second)
        tell("both ");
    while (daemon_wait_signal() == DAEMON_RELOAD)
        tell("reload ");
    if (second)
        tell("second ");
    status = daemon_end();
    conf_free(conf);
    if (!second)
        tell(status == 0 ? "well" : "badly");
    exit(status);
}

/* Starts them; gives the first's number and the second's. */
static pid_t start_two(int ends[2], pid_t *second)
{
    char text[2000], path[200], digits[11] = "";

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    told = ends[1];
    assert_int_equal(run(live_as_two, text, sizeof text), 0);
    close(ends[1]);
    for (size_t len = 0; len < 10;) {
        ssize_t got = read(ends[0], digits + len, 10 - len);

        assert_true(got > 0);
        len += (size_t)got;
    }
    *second = (pid_t)strtol(digits, NULL, 10);
    expect_told(ends[0], "both ");
    snprintf(path, sizeof path, "%s/spoor-test-one.pid", folder);
    return pid_in_file(path);
}

static void expect_both_gone(int from)
{
    char byte;

    assert_int_equal(read(from, &byte, 1), 0); /* no process holds the other end any more */
    close(from);
}

static void two_processes_are_one_daemon(void **state)
{
    int ends[2];
    pid_t second, first = start_two(ends, &second);

    (void)state;
    assert_int_not_equal(first, second);
    assert_int_equal(kill(first, SIGHUP), 0);
    expect_told(ends[0], "reload reload ");
    assert_int_equal(kill(second, SIGSTOP), 0);
    assert_int_equal(kill(second, SIGCONT), 0); /* halted is not gone */
    assert_int_equal(kill(first, SIGHUP), 0);
    expect_told(ends[0], "reload reload ");
    assert_int_equal(kill(first, SIGTERM), 0);
    expect_told(ends[0], "second well");
    expect_both_gone(ends[0]);
}

static void one_process_ends_with_the_other(void **state)
{
    char pid_file[200];
    int ends[2];
    pid_t second, first = start_two(ends, &second);

    (void)state;
    assert_int_equal(kill(second, SIGKILL), 0);
    expect_told(ends[0], "badly");
    expect_both_gone(ends[0]);
    first = start_two(ends, &second);
    assert_int_equal(kill(first, SIGKILL), 0);
    expect_both_gone(ends[0]);
    snprintf(pid_file, sizeof pid_file, "%s/spoor-test-one.pid", folder);
    unlink(pid_file);
}

static void fail_in_the_second(void)
{
    struct daemon_options options;
    struct conf *conf = start_in_background(&options);

    if (daemon_fork()) {
        log_err("cannot listen");
        daemon_fail();
    }
    daemon_ready(conf, &options);
    _exit(97);
}

static void crash_in_the_first(void)
{
    struct daemon_options options;
    struct conf *conf = start_in_background(&options);

    if (!daemon_fork())
        raise(SIGKILL);
    daemon_ready(conf, &options);
    daemon_wait_signal();
    _exit(97);
}

static void the_starter_learns_that_one_of_two_failed(void **state)
{
    char text[2000];

    (void)state;
    assert_int_equal(run(fail_in_the_second, text, sizeof text), 1);
    assert_non_null(strstr(text, "error: cannot listen"));
    assert_int_equal(run(crash_in_the_first, text, sizeof text), 1);
}

static void drop(void)
{
    struct daemon_options options = options_of("-f", "-c", config);
    struct conf *conf = daemon_configure(&options, CONF_DRY_RUN);

    if (!daemon_drop_privileges(conf))
        daemon_fail();
    conf_free(conf);
    _exit(geteuid() != 0 && getegid() != 0 && setuid(0) != 0 && open("/etc/shadow", O_RDONLY) < 0 ? 0 : 97);
}

static void drop_with_the_home_of_root(void)
{
    struct daemon_options options = options_of("-f", "-c", config);
    struct conf *conf = daemon_configure(&options, CONF_DRY_RUN);

    setenv("HOME", "/root", 1);
    if (!daemon_drop_privileges(conf))
        daemon_fail();
    conf_free(conf);
    _exit(strcmp(getenv("HOME"), getpwnam("nobody")->pw_dir) == 0 ? 0 : 97);
}

static void root_becomes_the_user_and_cannot_go_back(void **state)
{
    char text[2000];

    (void)state;
    if (geteuid() != 0 || !getpwnam("nobody"))
        skip();
    write_config("user = nobody\n");
    assert_int_equal(run(drop, text, sizeof text), 0);
    assert_int_equal(run(drop_with_the_home_of_root, text, sizeof text), 0);
    write_config("user = \"no such user\"\n");
    assert_int_equal(run(drop, text, sizeof text), 1);
    assert_non_null(strstr(text, "cannot become user \"no such user\": no such user"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(closed_descriptors_are_filled, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(options_are_read_or_refused, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_configuration_is_checked_and_printed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_starter_learns_that_it_failed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(edits_that_wait_for_the_next_start_are_named, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_daemon_starts_reloads_and_stops, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(two_processes_are_one_daemon, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(one_process_ends_with_the_other, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(the_starter_learns_that_one_of_two_failed, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(root_becomes_the_user_and_cannot_go_back, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("daemon", tests, NULL, NULL);
}
