/* SPDX-License-Identifier: BSD-2-Clause */
/* changes in a key file: its text, and the file itself */

#include "ctl/key_change.h"
#include "ctl/key_edit.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HEX_A "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define HEX_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define NOON  "2026-11-30T12:00:00Z"

static const int64_t noon_us = 1796040000 * INT64_C(1000000);

static struct key_file file;
static struct buf changed;

static void read_text(const char *text)
{
    struct buf error;

    buf_init(&error, 1000);
    if (!key_file_read(slice_str(text), "keys", &file, &error))
        fail_msg("%s", buf_text(&error));
    buf_free(&error);
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&changed, KEY_FILE_MAX);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_free(&changed);
    return 0;
}

static void the_rest_of_the_text_stays_byte_for_byte(void **state)
{
    static const struct {
        const char *before;
        struct key_wish wishes[2];
        size_t count;
        const char *after;
    } rows[] = {
        {"# ours\naddress " HEX_A "\n\nkey  1  " HEX_A "   # the first\nkey 2 " HEX_B
         " verifies 2020-01-01T00:00:00Z",
         {{1, KEY_VERIFIES}, {2, KEY_SIGNS}},
         2,
         "# ours\naddress " HEX_A "\n\nkey 1 " HEX_A " verifies " NOON " # the first\nkey 2 " HEX_B
         " signs " NOON},
        {"key 7 " HEX_B "\r\naddress " HEX_A "\nkey 3 " HEX_A "\n#end\n\n",
         {{3, KEY_REVOKED}},
         1,
         "key 7 " HEX_B "\r\naddress " HEX_A "\nkey 3 " HEX_A " revoked " NOON "\n#end\n\n"},
    };

    (void)state;
    for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
        print_message("row %zu\n", row);
        read_text(rows[row].before);
        buf_reset(&changed);
        assert_true(key_edit_states(slice_str(rows[row].before), &file, rows[row].wishes, rows[row].count,
                                    noon_us, &changed));
        assert_string_equal(buf_text(&changed), rows[row].after);
        read_text(buf_text(&changed));
    }
}

static void a_new_key_stands_last_and_verifies(void **state)
{
    static const char text[] = "address " HEX_A "\nkey 1 " HEX_A; /* no newline */
    uint8_t secret[KEY_SECRET_BYTES] = {0xff, 0xee};

    (void)state;
    assert_true(key_edit_add(slice_str(text), 2, secret, noon_us, &changed));
    assert_memory_equal(buf_text(&changed), text, sizeof text - 1);
    assert_non_null(strstr(buf_text(&changed), HEX_A "\nkey 2 ffee0000"));
    assert_non_null(strstr(buf_text(&changed), "0000 verifies " NOON "\n"));
    read_text(buf_text(&changed));
    assert_int_equal(file.signing_id, 1);
    assert_int_equal(file.key[2].state, KEY_VERIFIES);
    assert_memory_equal(file.key[2].secret, secret, sizeof secret);
}

static void an_id_is_never_used_again(void **state)
{
    bool used[KEY_IDS] = {false};

    (void)state;
    read_text("address " HEX_A "\nkey 1 " HEX_A "\nkey 3 " HEX_A " revoked\n");
    assert_int_equal(key_edit_free_id(&file, used), 4);
    used[4] = used[6] = true;
    assert_int_equal(key_edit_free_id(&file, used), 7);
    used[255] = true;
    assert_int_equal(key_edit_free_id(&file, used), 0);
    used[0] = true;
    assert_int_equal(key_edit_free_id(&file, used), 2);
    for (size_t id = 0; id < KEY_IDS; id++)
        used[id] = id != 1 && id != 3;
    assert_int_equal(key_edit_free_id(&file, used), -1);
}

/* --- the file ---------------------------------------------------------------------------------------- */

static char folder[PATH_SIZE], path[PATH_SIZE + 16];
static struct key_change change;
static struct buf error;

static void write_file(const char *text, mode_t mode)
{
    FILE *out = fopen(path, "w");

    assert_true(out && fputs(text, out) >= 0 && fclose(out) == 0 && chmod(path, mode) == 0);
}

static int make_folder(void **state)
{
    (void)state;
    folder_make(folder);
    snprintf(path, sizeof path, "%s/keys", folder);
    buf_init(&error, 1000);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    key_change_close(&change);
    buf_free(&error);
    folder_remove(folder);
    return 0;
}

static void owner_and_mode_stay(void **state)
{
    static const char next[] = "address " HEX_A "\nkey 1 " HEX_A " verifies\nkey 2 " HEX_B " signs\n";
    char other[PATH_SIZE + 16];
    struct stat status;

    (void)state;
    write_file("address " HEX_A "\nkey 1 " HEX_A "\n", 0640);
    if (geteuid() == 0)
        assert_int_equal(chown(path, 12, 34), 0);
    snprintf(other, sizeof other, "%s/link", folder);
    assert_int_equal(symlink(path, other), 0);
    assert_true(key_change_open(&change, other, true, &error));
    assert_int_equal(change.file.signing_id, 1);
    assert_true(key_change_write(&change, slice_str(next), &error));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    assert_int_equal(status.st_size, sizeof next - 1);
    if (geteuid() == 0)
        assert_true(status.st_uid == 12 && status.st_gid == 34);
    assert_true(lstat(other, &status) == 0 && S_ISLNK(status.st_mode));
}

/* Or whoever may write to the folder has root write the keys, and give them away, wherever they like. */
static void what_lies_beside_it_is_not_written_through(void **state)
{
    static const char next[] = "address " HEX_A "\nkey 1 " HEX_A " verifies\nkey 2 " HEX_B " signs\n";
    char victim[PATH_SIZE + 16], beside[PATH_SIZE + 32];
    struct stat status;

    (void)state;
    write_file("address " HEX_A "\nkey 1 " HEX_A "\n", 0640);
    snprintf(victim, sizeof victim, "%s/victim", folder);
    snprintf(beside, sizeof beside, "%s.new", path);
    assert_int_equal(close(open(victim, O_WRONLY | O_CREAT, 0644)), 0);
    for (int hard = 0; hard < 2; hard++) {
        assert_int_equal(hard ? link(victim, beside) : symlink(victim, beside), 0);
        assert_true(key_change_open(&change, path, true, &error));
        assert_true(key_change_write(&change, slice_str(next), &error));
        assert_true(stat(victim, &status) == 0 && status.st_size == 0 && (status.st_mode & 07777) == 0644);
        assert_true(lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1);
        assert_int_equal(lstat(beside, &status), -1);
        key_change_close(&change);
    }
    assert_true(key_change_open(&change, path, false, &error));
}

static void a_text_that_no_daemon_loads_is_not_written(void **state)
{
    struct stat status;

    (void)state;
    write_file("address " HEX_A "\nkey 1 " HEX_A "\n", 0600);
    assert_true(key_change_open(&change, path, true, &error));
    assert_false(
        key_change_write(&change, slice_str("address " HEX_A "\nkey 1 " HEX_A " revoked\n"), &error));
    assert_non_null(strstr(buf_text(&error), "no key in it signs"));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_size, strlen("address " HEX_A "\nkey 1 " HEX_A "\n"));
}

static void two_do_not_change_it_at_once(void **state)
{
    struct key_change second;

    (void)state;
    write_file("address " HEX_A "\nkey 1 " HEX_A "\n", 0600);
    assert_true(key_change_open(&change, path, true, &error));
    assert_false(key_change_open(&second, path, true, &error));
    assert_non_null(strstr(buf_text(&error), "another spoorctl"));
    key_change_close(&second);
    assert_true(key_change_open(&second, path, false, &error));
    key_change_close(&second);
}

static void a_bad_line_is_named(void **state)
{
    (void)state;
    write_file("address " HEX_A "\nkey 1 " HEX_A " sings\n", 0600);
    assert_false(key_change_open(&change, path, true, &error));
    assert_non_null(strstr(buf_text(&error), "keys:2: behind the key"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_rest_of_the_text_stays_byte_for_byte, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_new_key_stands_last_and_verifies, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_id_is_never_used_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(owner_and_mode_stay, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(what_lies_beside_it_is_not_written_through, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(a_text_that_no_daemon_loads_is_not_written, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(two_do_not_change_it_at_once, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_bad_line_is_named, make_folder, remove_folder),
    };

    return cmocka_run_group_tests_name("key_edit", tests, NULL, NULL);
}
