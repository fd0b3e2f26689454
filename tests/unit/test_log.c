/* SPDX-License-Identifier: BSD-2-Clause */
/* the log: one line an event whatever is in it, context, level, throttle */

#include "common/log.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static FILE *capture;
static int real_stderr;
static char seen[20000];

static int capture_stderr(void **state)
{
    (void)state;
    capture = tmpfile();
    real_stderr = dup(STDERR_FILENO);
    log_open("spoor-test", true);
    log_set_level(LOG_INFO);
    return capture && dup2(fileno(capture), STDERR_FILENO) >= 0 ? 0 : -1;
}

static int release_stderr(void **state)
{
    (void)state;
    log_set_context(NULL);
    log_close();
    dup2(real_stderr, STDERR_FILENO);
    close(real_stderr);
    return fclose(capture);
}

static const char *written(void)
{
    ssize_t len = pread(fileno(capture), seen, sizeof seen - 1, 0);

    seen[len > 0 ? len : 0] = '\0';
    return seen;
}

static void a_line_has_program_priority_context_and_errno(void **state)
{
    (void)state;
    log_set_context("4F2A");
    errno = ENOENT;
    log_err("cannot open \"%s\": %m", "x");
    assert_int_equal(errno, ENOENT);
    log_set_context(NULL);
    log_info("next");
    assert_string_equal(written(), "spoor-test: error: 4F2A: cannot open \"x\": No such file or directory\n"
                                   "spoor-test: info: next\n");
}

static void control_bytes_cannot_make_a_second_line(void **state)
{
    (void)state;
    log_set_context("a\nb");
    log_warn("%s", "x\r\nspoor-test: error: forged\x1b[2J\x7f\tb\xc3\xbc");
    assert_string_equal(written(), "spoor-test: warning: a\\x0ab: x\\x0d\\x0aspoor-test: error: forged"
                                   "\\x1b[2J\\x7f\\x09b\xc3\xbc\n");
}

static void less_urgent_lines_are_left_out(void **state)
{
    (void)state;
    log_debug("no");
    log_set_level(LOG_WARNING);
    log_info("no");
    log_warn("yes");
    assert_string_equal(written(), "spoor-test: warning: yes\n");
}

static void a_long_line_is_cut_and_says_so(void **state)
{
    static char text[10000];
    size_t len;

    (void)state;
    memset(text, '\n', sizeof text - 1);
    log_set_context(text);
    log_info("%s", text);
    len = strlen(written());
    assert_true(len > 4000 && len < 9000);
    assert_string_equal(seen + len - 4, "...\n");
    assert_ptr_equal(strchr(seen, '\n'), seen + len - 1);
}

static void repeats_are_counted_not_written(void **state)
{
    struct log_throttle throttle = {.every_seconds = 60};

    (void)state;
    for (int n = 0; n < 5; n++)
        log_throttled(&throttle, LOG_ERR, "spool full");
    throttle.next = 0;
    log_throttled(&throttle, LOG_ERR, "spool full");
    assert_string_equal(written(), "spoor-test: error: spool full\n"
                                   "spoor-test: error: spool full (4 such lines left out before)\n");
}

static void *throttled_often(void *data)
{
    for (int n = 0; n < 1000; n++)
        log_throttled(data, LOG_ERR, "again");
    return NULL;
}

static void threads_share_one_throttle(void **state)
{
    struct log_throttle throttle = {.every_seconds = 3600};
    pthread_t threads[2];

    (void)state;
    for (int n = 0; n < 2; n++)
        assert_int_equal(pthread_create(&threads[n], NULL, throttled_often, &throttle), 0);
    for (int n = 0; n < 2; n++)
        pthread_join(threads[n], NULL);
    assert_string_equal(written(), "spoor-test: error: again\n");
    assert_int_equal(throttle.left_out, 1999);
}

static void *line_without_context(void *data)
{
    (void)data;
    log_info("other thread");
    return NULL;
}

static void context_belongs_to_its_thread(void **state)
{
    pthread_t thread;

    (void)state;
    log_set_context("mine");
    assert_int_equal(pthread_create(&thread, NULL, line_without_context, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(written(), "spoor-test: info: other thread\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_program_priority_context_and_errno, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(control_bytes_cannot_make_a_second_line, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(less_urgent_lines_are_left_out, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(a_long_line_is_cut_and_says_so, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(repeats_are_counted_not_written, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(threads_share_one_throttle, capture_stderr, release_stderr),
        cmocka_unit_test_setup_teardown(context_belongs_to_its_thread, capture_stderr, release_stderr),
    };

    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
