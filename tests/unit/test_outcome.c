/* SPDX-License-Identifier: BSD-2-Clause */
/* from a program's end to a document's state */

#include "render/outcome.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static enum finding found(enum stage stage, enum child_end end, int code, const char *words)
{
    struct child_result result = {.end = end, .code = code};

    snprintf(result.words, sizeof result.words, "%s", words);
    return finding_of_child(stage, &result);
}

static void ends_of_programs(void **state)
{
    (void)state;
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 0, ""), FOUND_FINE);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 1, "source file could not be loaded"), FOUND_UNREADABLE);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 127, ""), FOUND_NO_CONVERTER);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 128 + SIGSEGV, ""), FOUND_CRASH);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 128 + SIGABRT, ""), FOUND_CRASH);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 128 + SIGXCPU, ""), FOUND_TIMEOUT);
    assert_int_equal(found(STAGE_OFFICE, CHILD_EXITED, 128 + SIGKILL, ""), FOUND_KILLED);
    assert_int_equal(found(STAGE_OFFICE, CHILD_SIGNALLED, SIGKILL, ""), FOUND_KILLED);
    assert_int_equal(found(STAGE_INFO, CHILD_EXITED, 1, "Command Line Error: Incorrect password"), FOUND_ENCRYPTED);
    assert_int_equal(found(STAGE_INFO, CHILD_EXITED, 1, "Syntax Error: Couldn't read xref table"), FOUND_UNREADABLE);
    assert_int_equal(found(STAGE_PAGES, CHILD_EXITED, 1, "Incorrect password"), FOUND_UNREADABLE);
    assert_int_equal(found(STAGE_PAGES, CHILD_LATE, 0, ""), FOUND_LATE);
    assert_int_equal(found(STAGE_PAGES, CHILD_STOPPED, 0, ""), FOUND_STOPPED);
    assert_int_equal(found(STAGE_PAGES, CHILD_REFUSED, 0, ""), FOUND_BAD_OUTPUT);
    assert_int_equal(found(STAGE_PAGES, CHILD_UNSTARTED, 11, ""), FOUND_UNSTARTED);
}

static void looks(void **state)
{
    (void)state;
    assert_int_equal(finding_of_look(LOOK_GOOD), FOUND_FINE);
    assert_int_equal(finding_of_look(LOOK_MISMATCH), FOUND_MISMATCH);
    assert_int_equal(finding_of_look(LOOK_ENCRYPTED), FOUND_ENCRYPTED);
    assert_int_equal(finding_of_look(LOOK_ZIP_BOMB), FOUND_ZIP_BOMB);
    assert_int_equal(finding_of_look(LOOK_DAMAGED), FOUND_DAMAGED);
}

static void expect(enum finding finding, int attempts, const char *wanted, const char *reason, int wait_s)
{
    struct outcome outcome = outcome_of(finding, attempts);

    assert_string_equal(outcome.state, wanted);
    if (reason)
        assert_string_equal(outcome.reason, reason);
    else
        assert_null(outcome.reason);
    assert_int_equal(outcome.wait_s, wait_s);
}

static void what_the_document_does_is_final(void **state)
{
    (void)state;
    expect(FOUND_ALL_PAGES, 1, "ready", NULL, 0);
    expect(FOUND_FIRST_PAGES, 3, "ready", "first_pages", 0);
    expect(FOUND_ENCRYPTED, 1, "download_only", "encrypted", 0);
    expect(FOUND_TIMEOUT, 1, "download_only", "timeout", 0);
    expect(FOUND_CRASH, 1, "download_only", "crashed", 0);
    expect(FOUND_NO_SANDBOX, 1, "download_only", "no_sandbox", 0);
}

static void what_may_pass_is_tried_three_times(void **state)
{
    static const enum finding may_pass[] = {FOUND_LATE, FOUND_KILLED, FOUND_UNSTARTED, FOUND_INCOMPLETE, FOUND_NOT_STORED};

    (void)state;
    for (size_t at = 0; at < sizeof may_pass / sizeof *may_pass; at++) {
        struct outcome last = outcome_of(may_pass[at], 3);

        assert_string_equal(last.state, "failed");
        expect(may_pass[at], 1, "pending", last.reason, 15);
        expect(may_pass[at], 2, "pending", last.reason, 60);
        expect(may_pass[at], 4, "failed", last.reason, 0);
    }
}

static void a_job_that_is_not_ours_to_end_is_given_back(void **state)
{
    (void)state;
    assert_null(outcome_of(FOUND_STOPPED, 1).state);
    assert_null(outcome_of(FOUND_AWAY, 3).state);
    assert_null(outcome_of(FOUND_LOST, 1).state);
}

static void every_other_finding_has_a_state(void **state)
{
    (void)state;
    for (enum finding finding = 0; finding < FOUND_STOPPED; finding++)
        assert_non_null(outcome_of(finding, 3).state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_of_programs),
        cmocka_unit_test(looks),
        cmocka_unit_test(what_the_document_does_is_final),
        cmocka_unit_test(what_may_pass_is_tried_three_times),
        cmocka_unit_test(a_job_that_is_not_ours_to_end_is_given_back),
        cmocka_unit_test(every_other_finding_has_a_state),
    };

    return cmocka_run_group_tests_name("outcome", tests, NULL, NULL);
}
