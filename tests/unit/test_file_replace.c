/* SPDX-License-Identifier: BSD-2-Clause */
/* a file is replaced as a whole or stays, and what fails keeps nothing open */

#include "common/file_replace.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_MOST = PATH_SIZE + 16, DESCRIPTORS_MOST = 256 };

static bool keeps_no_modes; /* as some file systems do */

/* Stands here for that of the C library. */
int fchmod(int file, mode_t mode)
{
    if (!keeps_no_modes)
        return (int)syscall(SYS_fchmod, file, mode);
    errno = EPERM;
    return -1;
}

static int descriptors(void)
{
    int open_ones = 0;

    for (int file = 0; file < DESCRIPTORS_MOST; file++)
        open_ones += fcntl(file, F_GETFD) != -1;
    return open_ones;
}

static void assert_holds(const char *path, const char *expected, mode_t mode)
{
    char text[64] = "";
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(file >= 0 && read(file, text, sizeof text - 1) >= 0 && fstat(file, &status) == 0);
    close(file);
    assert_string_equal(text, expected);
    assert_int_equal(status.st_mode & 07777, mode);
}

static void a_file_gets_new_contents_and_its_mode(void **state)
{
    char folder[PATH_SIZE], path[PATH_MOST], beside[PATH_MOST + 4];

    (void)state;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(symlink("/dev/full", beside), 0); /* left there, or put there by somebody else */
    assert_true(file_replace(path, 0640, slice_str("first")));
    assert_holds(path, "first", 0640);
    assert_true(file_replace(path, 0600, slice_str("second")));
    assert_holds(path, "second", 0600);
    assert_int_equal(access(beside, F_OK), -1);
    folder_remove(folder);
}

static void what_fails_keeps_the_file_and_no_descriptor(void **state)
{
    char folder[PATH_SIZE], path[PATH_MOST], nowhere[PATH_MOST];
    int before;

    (void)state;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(nowhere, sizeof nowhere, "%s/no/file", folder);
    assert_true(file_replace(path, 0600, slice_str("first")));
    before = descriptors();
    keeps_no_modes = true;
    assert_false(file_replace(path, 0640, slice_str("second")));
    assert_int_equal(errno, EPERM);
    keeps_no_modes = false;
    assert_int_equal(descriptors(), before);
    assert_false(file_replace(nowhere, 0600, slice_str("second")));
    assert_int_equal(errno, ENOENT);
    assert_int_equal(descriptors(), before);
    assert_holds(path, "first", 0600);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_gets_new_contents_and_its_mode),
        cmocka_unit_test(what_fails_keeps_the_file_and_no_descriptor),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
