/* SPDX-License-Identifier: BSD-2-Clause */
/* the list of who is forgotten that a process has: kept, damaged, from the first server and from others */

#include "common/forgotten_list.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATH_ROOM = 64 };

static char directory[PATH_ROOM];

static int make_directory(void **state)
{
    (void)state;
    snprintf(directory, sizeof directory, "/tmp/spoor-forgotten-XXXXXX");
    return mkdtemp(directory) ? 0 : -1;
}

static void name_file(char path[PATH_ROOM + 16])
{
    snprintf(path, PATH_ROOM + 16, "%s/forgotten", directory);
}

static int remove_directory(void **state)
{
    char path[PATH_ROOM + 16];

    (void)state;
    name_file(path);
    unlink(path);
    return rmdir(directory);
}

static void damage_file(void)
{
    char path[PATH_ROOM + 16];
    FILE *file;

    name_file(path);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("spoor forgotten 1 00000000\nnumber\t9\n", file);
    assert_int_equal(fclose(file), 0);
}

static void use(unsigned shard, int number, int epoch)
{
    int64_t told = 0;
    char text[400];

    snprintf(text, sizeof text, "salt\t%032d\nnumber\t%d\nepoch\t%d\ndigest\t%064d\n", 1, number, epoch, number);
    assert_true(forgotten_list_use(shard, slice_str(text), &told));
    assert_int_equal(told, number);
}

static int64_t number_now(void)
{
    struct forgotten *now = forgotten_list_take();
    int64_t number = now ? forgotten_number(now) : 0;

    forgotten_let_go(now);
    return number;
}

static void a_copy_does_not_mend_a_list_that_is_damaged(void **state)
{
    (void)state;
    damage_file();
    forgotten_list_open(directory);
    assert_false(forgotten_list_is_known());
    use(1, 7, 100);
    assert_int_equal(number_now(), 7);
    assert_false(forgotten_list_is_known()); /* what was kept told of more */
    forgotten_list_open(directory);
    assert_false(forgotten_list_is_known());
    use(0, 9, 200);
    assert_true(forgotten_list_is_known());
    use(1, 8, 300);
    assert_int_equal(number_now(), 9);
    use(1, 10, 300);
    assert_int_equal(number_now(), 10);
    forgotten_list_open(directory);
    assert_true(forgotten_list_is_known());
    assert_int_equal(number_now(), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_does_not_mend_a_list_that_is_damaged),
    };

    return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
