/* SPDX-License-Identifier: BSD-2-Clause */
/* what a converter can reach from inside: files it was given, and nothing else; skipped where no sandbox can be made */

#include "common/clock.h"
#include "render/memory_file.h"
#include "render/sandbox.h"

#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 100000, NOBODY = 65534 };

static struct sandbox *sandbox;
static char out[4096];
static size_t out_len;

/* Root has no limit of processes, and converts nothing anyhow. */
static bool become_nobody(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                              setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static bool take(void *arg, struct slice bytes)
{
    (void)arg;
    if (out_len + bytes.len >= sizeof out)
        return false;
    memcpy(out + out_len, bytes.p, bytes.len);
    out_len += bytes.len;
    out[out_len] = '\0';
    return true;
}

static struct child_result run_task(const struct sandbox_task *task)
{
    struct child_order order = {.cpu_s = 20, .memory = (int64_t)2 << 30, .file_size = 64 << 20, .quiet_ms = LONG_MS,
                                .until_ms = clock_monotonic_ms() + LONG_MS, .stop_fd = -1, .take = take};
    struct child_result result;

    out_len = 0;
    out[0] = '\0';
    sandbox_run(sandbox, task, &order, &result);
    return result;
}

static void expect_output(const char *script, const char *wanted)
{
    const struct sandbox_task task = {.script = script};
    struct child_result result = run_task(&task);

    assert_string_equal(result.words, "");
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_equal(result.code, 0);
    assert_string_equal(out, wanted);
}

static void files_go_in(void **state)
{
    static const char *const arguments[] = {"one two", "three", NULL};
    struct sandbox_task task = {.script = "cat /in/a /home/sub/b; echo \"$1,$2\";"
                                          " echo more >>/home/sub/b && ! (echo more >>/in/a) 2>/dev/null",
                                .arguments = arguments, .files = 2};
    int one = memory_file_of(slice_str("first ")), other = memory_file_of(slice_str("second "));

    (void)state;
    task.file[0] = (struct sandbox_file){one, "/in/a", false};
    task.file[1] = (struct sandbox_file){other, "/home/sub/b", true};
    for (int round = 0; round < 2; round++) { /* from the start each time */
        struct child_result result = run_task(&task);

        assert_string_equal(result.words, "");
        assert_int_equal(result.code, 0);
        assert_string_equal(out, "first second one two,three\n");
    }
    close(one);
    close(other);
}

static void nothing_of_the_machine_is_there(void **state)
{
    (void)state;
    expect_output("ls /etc /var /root /srv /usr/share/doc 2>/dev/null | grep -v '^$' | sort -u | tr '\\n' ' ';"
                  " ls -d /boot /sys 2>/dev/null; :",
                  access("/etc/libreoffice", F_OK) == 0 ? "/etc: /var: cache fonts ld.so.cache lib libreoffice "
                                                        : "/etc: /var: cache fonts ld.so.cache ");
}

static void the_environment_and_descriptors_are_ours(void **state)
{
    (void)state;
    setenv("PGPASSWORD", "secret", 1);
    expect_output("env | cut -d= -f1 | sort | tr '\\n' ' '", "HOME LANG PATH PWD TMPDIR ");
    expect_output("n=0; while [ $n -lt 64 ]; do [ -e /proc/$$/fd/$n ] && echo $n; n=$((n + 1)); done; readlink /proc/$$/fd/0",
                  "0\n1\n2\n/dev/null\n");
}

static void there_is_no_network(void **state)
{
    (void)state;
    expect_output("python3 -c 'import socket, errno\n"
                  "for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, socket.AF_PACKET):\n"
                  "    try: socket.socket(family, socket.SOCK_DGRAM); print(\"open\", family)\n"
                  "    except OSError as error: print(errno.errorcode[error.errno])\n"
                  "socket.socket(socket.AF_UNIX).close()'", "EAFNOSUPPORT\nEAFNOSUPPORT\nEAFNOSUPPORT\nEAFNOSUPPORT\n");
}

static void nobody_gets_more_rights(void **state)
{
    (void)state;
    expect_output("unshare -U true 2>/dev/null || echo user; unshare -n true 2>/dev/null || echo net;"
                  " mount -t tmpfs tmpfs /tmp 2>/dev/null || echo mount; strace true 2>/dev/null || echo trace;"
                  " setarch -R true 2>/dev/null || echo personality; grep -c '^Cap...:.*[1-9a-f]' /proc/self/status;"
                  " grep NoNewPrivs /proc/self/status",
                  "user\nnet\nmount\ntrace\npersonality\n0\nNoNewPrivs:\t1\n");
}

static void what_it_writes_has_an_end(void **state)
{
    (void)state;
    /* each file by its limit, all by the size of their file system */
    expect_output("for n in 1 2 3 4 5 6; do head -c 60M /dev/zero >/tmp/$n 2>/dev/null || echo full; done;"
                  " head -c 65M /dev/zero >/home/x 2>/dev/null; echo $?; for place in / /dev /dev/shm /in /usr/bin /proc; do"
                  " (: >$place/file) 2>/dev/null && echo $place; done; :", "full\nfull\n153\n");
}

static void processes_have_an_end(void **state)
{
    const struct sandbox_task task = {.script = "ulimit -p 40; n=0; while [ $n -lt 100 ]; do sleep 30 & n=$((n + 1)); done; echo all"};
    struct child_result result = run_task(&task);

    (void)state;
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_not_equal(result.code, 0);
    assert_string_equal(out, "");
    assert_non_null(strstr(result.words, "fork"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_go_in),
        cmocka_unit_test(nothing_of_the_machine_is_there),
        cmocka_unit_test(the_environment_and_descriptors_are_ours),
        cmocka_unit_test(there_is_no_network),
        cmocka_unit_test(nobody_gets_more_rights),
        cmocka_unit_test(what_it_writes_has_an_end),
        cmocka_unit_test(processes_have_an_end),
    };

    struct child_result result;
    struct buf error;
    int failed;

    buf_init(&error, 1000);
    sandbox = become_nobody() ? sandbox_new(&error) : NULL;
    if (!sandbox)
        return EXIT_FAILURE;
    if (sandbox_works(sandbox, -1, &result)) {
        failed = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
    } else {
        printf("1..0 # SKIP no sandbox on this machine: %s\n", result.words);
        failed = 0;
    }
    sandbox_free(sandbox);
    return failed;
}
