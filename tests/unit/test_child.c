/* SPDX-License-Identifier: BSD-2-Clause */
/* programs within limits: their output, their end, and how they are stopped */

#include "common/clock.h"
#include "render/child.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

enum { LONG_MS = 100000, SHORT_MS = 50 }; /* the programs sleep for longer */

static struct {
    char out[256];
    size_t len;
    size_t most; /* more is refused */
} taken;

static bool take(void *arg, struct slice bytes)
{
    (void)arg;
    if (taken.len + bytes.len > taken.most)
        return false;
    memcpy(taken.out + taken.len, bytes.p, bytes.len);
    taken.len += bytes.len;
    return true;
}

static struct child_order order_of(int until_ms)
{
    taken.len = 0;
    taken.most = sizeof taken.out;
    return (struct child_order){.cpu_s = 10, .memory = (int64_t)1 << 40, .file_size = 1 << 20, .quiet_ms = LONG_MS,
                                .until_ms = clock_monotonic_ms() + until_ms, .stop_fd = -1, .take = take};
}

static struct child_result run(struct child_order order, const char *script)
{
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    struct child_result result;

    order.argv = argv;
    child_run(&order, &result);
    return result;
}

static void output_and_status(void **state)
{
    struct child_result result = run(order_of(LONG_MS), "printf hello; printf 'oh\\033no' >&2; exit 3");

    (void)state;
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_equal(result.code, 3);
    assert_int_equal(taken.len, 5);
    assert_memory_equal(taken.out, "hello", 5);
    assert_string_equal(result.words, "oh no");
}

static void a_clean_room(void **state)
{
    struct child_result result;
    int kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int hidden = open("/dev/null", O_RDONLY); /* would be inherited */
    struct child_order order = order_of(LONG_MS);
    char script[128];

    (void)state;
    order.keep[order.keep_count++] = kept;
    snprintf(script, sizeof script, "[ -z \"$HOME\" ] && [ -e /proc/$$/fd/%d ] && [ ! -e /proc/$$/fd/%d ] && read x; [ $? -eq 1 ]",
             kept, hidden);
    result = run(order, script);
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_equal(result.code, 0);
    close(kept);
    close(hidden);
}

static void signals_are_told(void **state)
{
    struct child_result result = run(order_of(LONG_MS), "kill -SEGV $$");

    (void)state;
    assert_int_equal(result.end, CHILD_SIGNALLED);
    assert_int_equal(result.code, SIGSEGV);
}

static void a_program_that_is_not_there(void **state)
{
    const char *const argv[] = {"/nonexistent/program", NULL};
    struct child_order order = order_of(LONG_MS);
    struct child_result result;

    (void)state;
    order.argv = argv;
    child_run(&order, &result);
    assert_int_equal(result.end, CHILD_EXITED);
    assert_int_equal(result.code, 127);
}

/* What it had started goes with it: the pipe would stay open. */
static void late_is_killed_with_all_it_started(void **state)
{
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    taken.len = 0;
    for (int ms = SHORT_MS; taken.len == 0; ms *= 2) { /* on a busy machine the shell needs longer to say whom it has started */
        struct child_result result = run(order_of(ms), "sleep 300 & echo $!; sleep 300");

        assert_int_equal(result.end, CHILD_LATE);
        assert_in_range(clock_monotonic_ms() - start_ms, ms, LONG_MS);
    }
    taken.out[taken.len] = '\0';
    for (long pid = strtol(taken.out, NULL, 10); kill((pid_t)pid, 0) == 0;)
        assert_in_range(clock_monotonic_ms() - start_ms, 0, LONG_MS); /* dead, and for init to reap */
}

static void silence_is_late(void **state)
{
    int64_t start_ms = clock_monotonic_ms();

    (void)state;
    taken.len = 0;
    for (int ms = SHORT_MS; taken.len == 0; ms *= 2) { /* silent from its start when the machine is busy */
        struct child_order order = order_of(LONG_MS);

        order.quiet_ms = ms;
        assert_int_equal(run(order, "echo a; sleep 300").end, CHILD_LATE);
        assert_in_range(clock_monotonic_ms() - start_ms, ms, LONG_MS);
    }
    assert_int_equal(taken.len, 2);
}

static void a_stop_ends_it(void **state)
{
    struct child_order order = order_of(LONG_MS);
    struct child_result result;

    (void)state;
    order.stop_fd = eventfd(1, EFD_CLOEXEC);
    result = run(order, "sleep 300");
    assert_int_equal(result.end, CHILD_STOPPED);
    close(order.stop_fd);
}

static void a_consumer_may_refuse(void **state)
{
    struct child_order order = order_of(LONG_MS);

    (void)state;
    taken.most = 3;
    assert_int_equal(run(order, "while :; do echo more; done").end, CHILD_REFUSED);
}

static void limits_hold(void **state)
{
    struct child_order order = order_of(LONG_MS);
    struct child_result result;

    (void)state;
    order.cpu_s = 1;
    result = run(order, "while :; do :; done");
    assert_int_equal(result.end, CHILD_SIGNALLED);
    assert_int_equal(result.code, SIGXCPU);
    order = order_of(LONG_MS);
    result = run(order, "ulimit -c; ulimit -f; ulimit -v; ulimit -n");
    assert_int_equal(result.code, 0);
    taken.out[taken.len] = '\0';
    assert_string_equal(taken.out, "0\n2048\n1073741824\n512\n"); /* in blocks of 512 bytes, and KB */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(output_and_status),
        cmocka_unit_test(a_clean_room),
        cmocka_unit_test(signals_are_told),
        cmocka_unit_test(a_program_that_is_not_there),
        cmocka_unit_test(late_is_killed_with_all_it_started),
        cmocka_unit_test(silence_is_late),
        cmocka_unit_test(a_stop_ends_it),
        cmocka_unit_test(a_consumer_may_refuse),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
