/* SPDX-License-Identifier: BSD-2-Clause */
/* digests by the examples of the standards, and in threads that outlive main() */

#include "common/digest.h"
#include "common/hex.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* FIPS 180-4: "abc" */
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
/* RFC 4231, test case 1: the key, which HMAC fills up with zeroes itself, and "Hi There" */
static const uint8_t secret[DIGEST_BYTES] = {0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b,
                                             0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b, 0x0b};
static const char of_hi_there[] = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";

static bool is(const uint8_t digest[DIGEST_BYTES], const char *expected)
{
    char text[2 * DIGEST_BYTES + 1];

    hex_write(digest, DIGEST_BYTES, text);
    return strcmp(text, expected) == 0;
}

static bool digests_are_right(void)
{
    const struct slice abc[] = {slice_str("a"), slice_str(""), slice_str("bc")}, hi[] = {slice_str("Hi "), slice_str("There")};
    uint8_t digest[DIGEST_BYTES], mac[DIGEST_BYTES];

    return digest_sha256(abc, 3, digest) && is(digest, of_abc) && digest_hmac(secret, hi, 2, mac) && is(mac, of_hi_there);
}

static void *in_a_thread(void *right)
{
    *(bool *)right = digests_are_right();
    return NULL;
}

/* What was registered first is called last: whatever OpenSSL takes down at exit is down by now. */
static void at_last(void)
{
    bool right = false;
    pthread_t thread;

    if (!digests_are_right() || pthread_create(&thread, NULL, in_a_thread, &right) != 0 || pthread_join(thread, NULL) != 0)
        _exit(1);
    _exit(right ? 0 : 1);
}

/* Before all else here, for OpenSSL registers what it does at exit when it is used first. */
static void exit_takes_nothing_from_threads_that_go_on(void **state)
{
    int status;
    pid_t child;

    (void)state;
    fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (atexit(at_last) != 0 || !digests_are_right())
            _exit(2);
        exit(3);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void the_examples_of_the_standards_come_out(void **state)
{
    static const uint8_t another[DIGEST_BYTES] = {1};
    const struct slice hi = slice_str("Hi There");
    uint8_t mac[DIGEST_BYTES];

    (void)state;
    assert_true(digests_are_right());
    assert_true(digest_hmac(another, &hi, 1, mac) && !is(mac, of_hi_there)); /* a thread keeps its last key */
    assert_true(digests_are_right() && digests_are_right());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exit_takes_nothing_from_threads_that_go_on),
        cmocka_unit_test(the_examples_of_the_standards_come_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
