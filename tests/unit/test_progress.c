/* SPDX-License-Identifier: BSD-2-Clause */
/* the line that tells what spoorctl is at: on a terminal after a second, elsewhere never */

#include "ctl/progress.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 100000, SEEN_MOST = 4096 };

static void check_line(const char *what, uint64_t done, uint64_t total, unsigned columns, const char *expected)
{
    struct buf line;

    buf_init(&line, 200);
    progress_line(&line, what, done, total, 12, columns);
    assert_string_equal(buf_text(&line), expected);
    buf_free(&line);
}

static void a_line_fits_the_terminal(void **state)
{
    (void)state;
    check_line("010-delivery.sql, 10 of 26", 0, 0, 80, "010-delivery.sql, 10 of 26, 12 s");
    check_line("/var/spool/spoor/stamp", 1, 3, 80, "/var/spool/spoor/stamp, 33 %, 12 s");
    check_line("/var/spool/spoor/stamp", 3, 3, 80, "/var/spool/spoor/stamp, 100 %, 12 s");
    check_line("/var/spool/spoor/stamp", 1, 3, 20, "/var/sp, 33 %, 12 s");
    check_line("/var/spool/spoor/stamp", 1, 3, 5, "");
}

/* A command that is at it until somebody writes to GO, and then says what came of it. */
static pid_t start_command(int screen, int go)
{
    pid_t child = fork();
    int status = 1;
    char byte;

    if (child != 0)
        return child;
    dup2(screen, STDERR_FILENO);
    progress_tell("at %s", "work");
    if (fork() == 0) {
        progress_tell("nothing of a child");
        progress_clear();
        progress_end();
        _exit(read(go, &byte, 1) != 1);
    }
    if (read(go, &byte, 1) == 1) {
        progress_clear();
        dprintf(STDERR_FILENO, "done\n");
    }
    progress_end();
    wait(&status);
    _exit(status != 0);
}

static void read_until(int fd, const char *wanted, char *seen)
{
    struct pollfd descriptor = {.fd = fd, .events = POLLIN};
    size_t len = strlen(seen);

    while (!strstr(seen, wanted)) {
        ssize_t got;

        if (poll(&descriptor, 1, WAIT_MS) != 1)
            fail_msg("no \"%s\" in \"%s\"", wanted, seen);
        got = read(fd, seen + len, SEEN_MOST - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
        seen[len] = '\0';
    }
}

static void only_a_terminal_gets_a_line(void **state)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    char on_terminal[SEEN_MOST] = "", in_file[SEEN_MOST] = "";
    int go[2], file[2];
    pid_t command[2];
    int screen;

    (void)state;
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0 && pipe(go) == 0 && pipe(file) == 0);
    screen = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(screen >= 0);
    command[0] = start_command(file[1], go[0]);
    command[1] = start_command(screen, go[0]);
    read_until(terminal, "at work, 1 s\r", on_terminal);
    assert_int_equal(write(go[1], "xxxx", 4), 4); /* for two commands and their children */
    assert_null(strstr(on_terminal, "nothing"));
    read_until(terminal, "\r\033[Kdone", on_terminal);
    read_until(file[0], "done", in_file);
    assert_string_equal(in_file, "done\n");
    for (int n = 0; n < 2; n++) {
        int status;

        assert_int_equal(waitpid(command[n], &status, 0), command[n]);
        assert_int_equal(status, 0);
    }
    close(terminal), close(screen);
    for (int n = 0; n < 2; n++)
        close(go[n]), close(file[n]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_fits_the_terminal),
        cmocka_unit_test(only_a_terminal_gets_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
