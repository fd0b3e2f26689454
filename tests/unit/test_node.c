/* SPDX-License-Identifier: BSD-2-Clause */
/* the leased node number: kept for its spool's identity, and for no other */

#include "common/message_id.h"
#include "common/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/spoor-test-node-XXXXXX";
static char path[sizeof folder + 8];
static const uint8_t mine[SPOOL_IDENTITY_BYTES] = {1, 2, 3, 255};
static const uint8_t other[SPOOL_IDENTITY_BYTES] = {1, 2, 3, 254};

static void is_unknown_until_kept(void **state)
{
    (void)state;
    assert_int_equal(node_read(folder, mine), NODE_UNKNOWN);
    assert_true(node_keep(folder, mine, 0));
    assert_int_equal(node_read(folder, mine), 0);
    assert_true(node_keep(folder, mine, NODE_MAX));
    assert_int_equal(node_read(folder, mine), NODE_MAX);
}

static void belongs_to_one_identity(void **state)
{
    (void)state;
    assert_true(node_keep(folder, mine, 7));
    assert_int_equal(node_read(folder, other), NODE_UNKNOWN);
}

static void a_damaged_file_is_no_number(void **state)
{
    static const char *const texts[] = {"", "\n", "garbage", "010203ff000000000000000000000000",
                                        "010203ff000000000000000000000000 \n",
                                        "010203ff000000000000000000000000 1024\n",
                                        "010203ff000000000000000000000000 7",
                                        "010203ff000000000000000000000000 7x\n"};

    (void)state;
    for (size_t at = 0; at < sizeof texts / sizeof *texts; at++) {
        FILE *file = fopen(path, "w");

        assert_non_null(file);
        fputs(texts[at], file);
        fclose(file);
        assert_int_equal(node_read(folder, mine), NODE_UNKNOWN);
    }
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    assert_false(node_keep("/nonexistent", mine, 1));
    assert_int_equal(node_read("/nonexistent", mine), NODE_UNKNOWN);
}

static int prepare(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/node", folder);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_unknown_until_kept),
        cmocka_unit_test(belongs_to_one_identity),
        cmocka_unit_test(a_damaged_file_is_no_number),
        cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
    };

    return cmocka_run_group_tests_name("node", tests, prepare, clean_up);
}
